"""Makes documents that another program has signed, and judges what became of their signatures; pyHanko does both.

make IN DIR     signs IN in every way below, one file each in DIR, with a certificate that is made on the spot
judge DIR       one line per file of DIR: its name, then per signature field=verdict, where the verdict is the level of later
                changes (NONE, LTA_UPDATES, FORM_FILLING …) of an intact, valid and allowed signature, else BAD with the reason
Exits with 77 where pyHanko is not installed.
"""

import datetime
import io
import logging
import pathlib
import sys

logging.disable(logging.CRITICAL)
try:
    from asn1crypto import keys, x509 as asn1
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import NameOID
    from pyhanko.pdf_utils.crypt import StandardSecurityHandler, StandardSecuritySettingsRevision
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.pdf_utils.writer import PdfFileWriter, copy_into_new_writer
    from pyhanko.sign import PdfSignatureMetadata, SimpleSigner, fields, sign_pdf
    from pyhanko.sign.fields import FieldMDPAction, FieldMDPSpec, MDPPerm, SigFieldSpec
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext
    from pyhanko_certvalidator.registry import SimpleCertificateStore
except ImportError as missing:
    print(missing, file=sys.stderr)
    sys.exit(77)


def signer():
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "其他签署人")])
    now = datetime.datetime.now(datetime.timezone.utc)
    usage = x509.KeyUsage(True, True, False, False, False, False, False, False, False)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
    builder = builder.not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(30)).add_extension(usage, True)
    certificate = asn1.Certificate.load(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))
    private = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return SimpleSigner(signing_cert=certificate, signing_key=keys.PrivateKeyInfo.load(private), cert_registry=SimpleCertificateStore())


def signed(data, who, name="Other", password=None, spec=None, **meta):
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    if password is not None:
        writer.encrypt(password)
    field = spec or SigFieldSpec(name)
    return sign_pdf(writer, PdfSignatureMetadata(field_name=field.sig_field_name, **meta), signer=who, new_field_spec=field).getvalue()


def encrypted(data, revision, owner, user):
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(data)))
    if revision == 6:
        handler = StandardSecurityHandler.build_from_pw(owner, user)
    else:
        kind = {2: "RC4_BASIC", 3: "RC4_EXTENDED", 4: "RC4_OR_AES128"}[revision]
        handler = StandardSecurityHandler.build_from_pw_legacy(
            StandardSecuritySettingsRevision[kind], writer._document_id[0].original_bytes, owner, user,
            keylen_bytes=5 if revision == 2 else 16, use_aes128=revision == 4)
    writer._assign_security_handler(handler)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def make(source, folder):
    data, who = source.read_bytes(), signer()
    save = lambda name, made: (folder / f"{name}.pdf").write_bytes(made)
    save("approved", signed(data, who))
    save("approved-twice", signed(signed(data, who), who, name="Another"))
    for level in (MDPPerm.NO_CHANGES, MDPPerm.FILL_FORMS, MDPPerm.ANNOTATE):
        save(f"certified-{level.value}", signed(data, who, certify=True, docmdp_permissions=level))
    for name, action, names in (
        ("locked-all", FieldMDPAction.ALL, None),
        ("locked-a", FieldMDPAction.INCLUDE, ["a"]),
        ("locked-but-seal", FieldMDPAction.EXCLUDE, ["seal"]),
        ("locked-seal", FieldMDPAction.INCLUDE, ["seal"]),
    ):
        lock = FieldMDPSpec(action, fields=names) if names else FieldMDPSpec(action)
        save(name, signed(data, who, spec=SigFieldSpec("Other", field_mdp_spec=lock)))
    lock = FieldMDPSpec(FieldMDPAction.ALL)
    save("lock-forbids-changes", signed(data, who, spec=SigFieldSpec("Other", field_mdp_spec=lock, doc_mdp_update_value=MDPPerm.NO_CHANGES)))
    lock = FieldMDPSpec(FieldMDPAction.INCLUDE, fields=["a"])
    save("lock-allows-filling", signed(data, who, spec=SigFieldSpec("Other", field_mdp_spec=lock, doc_mdp_update_value=MDPPerm.FILL_FORMS)))
    for revision in (2, 3, 4, 6):
        save(f"encrypted-{revision}", signed(encrypted(data, revision, "owner", ""), who, password=""))
        save(f"encrypted-user-{revision}", signed(encrypted(data, revision, "owner", "user"), who, password="user"))


def verdict(embedded):
    try:
        status = validate_pdf_signature(embedded, ValidationContext(trust_roots=[], allow_fetching=False))
    except Exception as error:
        return f"BAD:{type(error).__name__}:{error}"
    if status.intact and status.valid and status.docmdp_ok:
        return status.modification_level.name
    return f"BAD:intact={status.intact},valid={status.valid},allowed={status.docmdp_ok},{status.diff_result}"


def judge(folder):
    for path in sorted(folder.glob("*.pdf")):
        with path.open("rb") as stream:
            reader = PdfFileReader(stream)
            if reader.encrypted:
                reader.decrypt("user" if "-user-" in path.name else "")
            said = [f"{one.field_name}={verdict(one)}" for one in reader.embedded_signatures]
        print(path.stem, *("_".join(one.split()) for one in said))


{"make": lambda: make(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])), "judge": lambda: judge(pathlib.Path(sys.argv[2]))}[sys.argv[1]]()
