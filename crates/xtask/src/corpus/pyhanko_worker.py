"""Judges signatures with pyHanko in one long-lived process: starting Python with pyHanko costs more than judging a file.

Started with a PEM file of trust anchors and a limit in seconds per file. Each line of standard input is a JSON object
{"file": path, "password": text or null, "want": "stamp" | "open" | "list" | "control"}; each answer is one line {"verdict": ..., "words": ...}.

"stamp" judges the signature that ends with the file:

valid        it is intact, trusted and covers the whole file
not-valid    it is not
none         no signature covers the file to its end

"open" says "readable" where the catalog and the page tree's root can be read, "list" says "listed" with "signatures": for each
signature of the form its field, byte range, and what the whole-document judgement comes to (intact, valid, coverage, level of
later modifications, whether certifications allow them), or the error it ends in. "control" lists the signatures as they are once
pyHanko itself has added an invisible signature of its own: what it calls broken then, nobody could have kept. In any case:

unreadable   pyHanko cannot read the file at all
timed-out    the limit ended it

A form that pyHanko cannot walk, because a stranger's field in it is broken, is no reason to find no stamp: the field that was
added last is then taken from the end of the form's own list.
"""

import datetime
import functools
import json
import logging
import os
import resource
import signal
import sys

logging.disable(logging.CRITICAL)
answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
# What a library prints must not get between the answers.
os.dup2(2, 1)
sys.setrecursionlimit(3000)
resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))


def answer(verdict, words="", **more):
    answers.write(json.dumps({"verdict": verdict, "words": " ".join(str(words).split())[:300], **more}) + "\n")
    answers.flush()


try:
    from pyhanko.keys import load_cert_from_pemder
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign import PdfSignatureMetadata, SimpleSigner, sign_pdf
    from pyhanko.sign.fields import SigFieldSpec, enumerate_sig_fields
    from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
    from pyhanko_certvalidator import ValidationContext
    from pyhanko_certvalidator.registry import SimpleCertificateStore
except ImportError as missing:
    answer("missing", missing)
    sys.exit(0)


class Overdue(Exception):
    pass


def overdue(_number, _frame):
    raise Overdue()


signal.signal(signal.SIGALRM, overdue)
anchors = [load_cert_from_pemder(sys.argv[1])]
limit = int(sys.argv[2])


def opened(stream, password):
    reader = PdfFileReader(stream, strict=False)
    if reader.encrypted:
        reader.decrypt(password or "")
    return reader


def fields(reader):
    """Signed fields with their names, walked as far as that goes, then the form's own list from its end."""
    walked = enumerate_sig_fields(reader, filled_status=True)
    while True:
        try:
            name, value, reference = next(walked)
            yield name, value, reference
        except StopIteration:
            return
        except Overdue:
            raise
        except Exception:
            break
    try:
        listed = list(reader.root["/AcroForm"]["/Fields"])
        count = len(listed)
    except Exception:
        return
    for index in range(count - 1, -1, -1):
        try:
            reference = reader.root["/AcroForm"]["/Fields"].raw_get(index)
            field = reference.get_object()
            if field["/FT"] == "/Sig":
                yield field["/T"], field["/V"], reference
        except Overdue:
            raise
        except Exception:
            continue


def newest(reader, length):
    """The signature field whose byte range ends where the file does."""
    for name, value, reference in fields(reader):
        try:
            ranges = [int(number) for number in value.get_object()["/ByteRange"]]
        except Overdue:
            raise
        except Exception:
            continue  # a stranger's broken signature
        if len(ranges) == 4 and ranges[2] + ranges[3] == length:
            return EmbeddedPdfSignature(reader, reference.get_object(), name)
    return None


def described(signature, ranges):
    """What pyHanko makes of one signature of the document as it is now."""
    found = {"field": signature.field_name, "range": ranges}
    try:
        context = ValidationContext(trust_roots=anchors, allow_fetching=False)
        timestamp = signature.sig_object.get("/Type") == "/DocTimeStamp"
        status = (validate_pdf_timestamp if timestamp else validate_pdf_signature)(signature, context)
        level = status.modification_level
        return found | {
            "intact": bool(status.intact),
            "valid": bool(status.valid),
            "coverage": status.coverage.value,
            "level": None if level is None else level.value,
            "allowed": status.docmdp_ok,
            "words": " ".join(str(status.diff_result).split())[:300] if isinstance(status.diff_result, Exception) else "",
        }
    except Overdue:
        raise
    except Exception as error:
        return found | {"error": f"{type(error).__name__}: {error}"[:300]}


def listed(reader):
    signatures = []
    for name, value, reference in enumerate_sig_fields(reader, filled_status=True):
        ranges = [int(number) for number in value.get_object()["/ByteRange"]]
        signatures.append(described(EmbeddedPdfSignature(reader, reference.get_object(), name), ranges))
    return signatures


@functools.cache
def stranger():
    """A signer whom nobody knows."""
    from asn1crypto import keys, x509 as asn1
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "control")])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    certificate = builder.not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(1)).sign(key, hashes.SHA256())
    private = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return SimpleSigner(
        signing_cert=asn1.Certificate.load(certificate.public_bytes(serialization.Encoding.DER)),
        signing_key=keys.PrivateKeyInfo.load(private),
        cert_registry=SimpleCertificateStore(),
    )


def control(stream, password):
    writer = IncrementalPdfFileWriter(stream, strict=False)
    if writer.prev.encrypted:
        writer.encrypt(password or "")
    field = SigFieldSpec("SealbridgeControl")
    signed = sign_pdf(writer, PdfSignatureMetadata(field_name=field.sig_field_name), signer=stranger(), new_field_spec=field)
    return listed(opened(signed, password))


def judge(request):
    with open(request["file"], "rb") as stream:
        try:
            reader = opened(stream, request.get("password"))
            reader.root["/Pages"]
        except Overdue:
            raise
        except Exception as error:
            return answer("unreadable", f"{type(error).__name__}: {error}")
        if request["want"] == "open":
            return answer("readable")
        if request["want"] in ("list", "control"):
            try:
                signatures = listed(reader) if request["want"] == "list" else control(stream, request.get("password"))
                return answer("listed", signatures=signatures)
            except Overdue:
                raise
            except Exception as error:
                return answer("unreadable", f"{type(error).__name__}: {error}")
        try:
            signature = newest(reader, os.path.getsize(request["file"]))
            if signature is None:
                return answer("none")
            status = validate_pdf_signature(signature, ValidationContext(trust_roots=anchors, allow_fetching=False))
            return answer("valid" if status.bottom_line and "ENTIRE_FILE" in str(status.coverage) else "not-valid", status.summary())
        except Overdue:
            raise
        except Exception as error:
            return answer("not-valid", f"{type(error).__name__}: {error}")


answer("ready")
for line in sys.stdin:
    try:
        signal.alarm(limit)
        judge(json.loads(line))
    except Overdue:
        answer("timed-out")
    except Exception as error:
        answer("unreadable", f"{type(error).__name__}: {error}")
    finally:
        signal.alarm(0)
