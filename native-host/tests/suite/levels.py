"""pyHanko as maker and judge of PAdES levels.

judge FILE ROOT LEVEL      says VALID, or what is wrong. "past": b-lta of a certificate that was revoked later. "around": timestamps around
                           the signature only, which pyHanko judges one by one (its AdES validation asks for one inside)
make  FILE OUT LEVEL ROOT KEY CERTIFICATE TSA
"""
import asyncio
import dataclasses
import sys
from datetime import datetime, timedelta, timezone

try:
    from asn1crypto.crl import CertificateList
    from asn1crypto.ocsp import OCSPResponse
    from pyhanko.keys import load_cert_from_pemder
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign import fields, signers, timestamps
    from pyhanko.sign.ades.report import AdESPassed
    from pyhanko.sign.validation import ades, async_validate_pdf_signature, async_validate_pdf_timestamp
    from pyhanko.sign.validation.dss import DocumentSecurityStore
    from pyhanko.sign.validation.policy_decl import (
        LocalKnowledge,
        PdfSignatureValidationSpec,
        RevinfoOnlineFetchingRule,
        RevocationInfoGatheringSpec,
        SignatureValidationSpec,
    )
    from pyhanko_certvalidator import ValidationContext
    from pyhanko_certvalidator.authority import CertTrustAnchor
    from pyhanko_certvalidator.context import CertValidationPolicySpec
    from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
    from pyhanko_certvalidator.registry import SimpleTrustManager
    from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer
except ImportError as error:
    if error.name in ("pyhanko", "asn1crypto"):
        print("ABSENT")
        sys.exit(0)
    raise


def spec(root, rule, retroactive=False):
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build([CertTrustAnchor(root)]),
        revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO, retroactive_revinfo=retroactive),
    )
    gathering = RevocationInfoGatheringSpec(online_fetching_rule=rule)
    return PdfSignatureValidationSpec(
        SignatureValidationSpec(cert_validation_policy=policy, revinfo_gathering_policy=gathering)
    )


def brought_along(reader):
    store = DocumentSecurityStore.read_dss(reader)
    data = lambda streams: [stream.get_object().data for stream in streams]
    return LocalKnowledge(
        known_ocsps=[one for der in data(store.ocsps) for one in OCSPContainer.load_multi(OCSPResponse.load(der))],
        known_crls=[CRLContainer(CertificateList.load(der)) for der in data(store.crls)],
        known_certs=list(store.load_certs()),
    )


async def judge(file, root, level):
    with open(file, "rb") as handle:
        reader = PdfFileReader(handle)
        signature = reader.embedded_regular_signatures[0]
        root = load_cert_from_pemder(root)
        passed = lambda result: result.ades_subindic == AdESPassed.OK
        online = spec(root, RevinfoOnlineFetchingRule.ALWAYS_FETCH)
        # What the file does not bring along can not be had.
        # A list from after the revocation speaks about the time before it only where that is said.
        offline = spec(root, RevinfoOnlineFetchingRule.LOCAL_ONLY, retroactive=level == "past")
        if level == "b-t":
            signature.compute_integrity_info()
            result = await ades.ades_with_time_validation(
                signature.signed_data, online.signature_validation_spec, raw_digest=signature.compute_digest()
            )
            assert passed(result), (result.ades_subindic, result.failure_msg)
            assert (datetime.now(tz=timezone.utc) - result.best_signature_time) < timedelta(hours=1), result.best_signature_time
            return
        if level == "around":
            context = lambda: DocumentSecurityStore.read_dss(reader).as_validation_context(
                {"trust_roots": [root], "allow_fetching": False, "revocation_mode": "require"}
            )
            status = await async_validate_pdf_signature(signature, context())
            assert status.bottom_line, status.pretty_print_details()
            assert len(reader.embedded_timestamp_signatures) > 1
            for timestamp in reader.embedded_timestamp_signatures:
                status = await async_validate_pdf_timestamp(timestamp, context())
                assert status.valid and status.trusted and status.docmdp_ok is not False, status
            return
        if level == "b-lt":
            # Judged now, with what the file brings along and nothing else.
            known = dataclasses.replace(offline.signature_validation_spec, local_knowledge=brought_along(reader))
            result = await ades.ades_with_time_validation(signature.signed_data, known, raw_digest=signature.compute_digest())
            assert passed(result), (result.ades_subindic, result.failure_msg)
        else:
            result = await ades.ades_lta_validation(signature, offline)
            assert passed(result), (result.ades_subindic, result.failure_msg)
            assert result.oldest_evidence_record_timestamp is not None
        if level == "past":
            return
        future = datetime.now(tz=timezone.utc) + timedelta(days=3650)
        result = await ades.simulate_future_ades_lta_validation(signature, offline, future)
        assert passed(result), ("in ten years", result.ades_subindic, result.failure_msg)


async def make(file, out, level, root, key, certificate, tsa):
    root = load_cert_from_pemder(root)
    signer = signers.SimpleSigner.load(key, certificate, ca_chain_files=[])
    context = ValidationContext(trust_roots=[root], allow_fetching=True, revocation_mode="require")
    meta = signers.PdfSignatureMetadata(
        field_name="Signature1",
        subfilter=fields.SigSeedSubFilter.PADES,
        validation_context=context if level != "b-t" else None,
        embed_validation_info=level != "b-t",
        use_pades_lta=level == "b-lta",
    )
    with open(file, "rb") as source, open(out, "wb") as target:
        writer = IncrementalPdfFileWriter(source)
        await signers.async_sign_pdf(
            writer, meta, signer=signer, timestamper=timestamps.HTTPTimeStamper(tsa), output=target
        )


arguments = sys.argv[2:]
asyncio.run({"judge": judge, "make": make}[sys.argv[1]](*arguments))
print("VALID")
