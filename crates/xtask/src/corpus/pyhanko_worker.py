"""Judges signatures with pyHanko in one long-lived process: starting Python with pyHanko costs more than judging a file.

Started with a PEM file of trust anchors and a limit in seconds per file. Each line of standard input is a JSON object
{"file": path, "password": text or null, "signature": bool}; each answer is one line {"verdict": ..., "words": ...}:

valid        the signature that ends with the file is intact, trusted and covers the whole file
not-valid    it is not
none         no signature covers the file to its end
unreadable   pyHanko cannot read the file at all
timed-out    the limit ended it
readable     with "signature": false, the file could be opened and its form walked

Only the newest signature is judged: documents may carry older ones of strangers, good or bad.
"""

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


def answer(verdict, words=""):
    answers.write(json.dumps({"verdict": verdict, "words": " ".join(str(words).split())[:300]}) + "\n")
    answers.flush()


try:
    from pyhanko.keys import load_cert_from_pemder
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.fields import enumerate_sig_fields
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
    from pyhanko_certvalidator import ValidationContext
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


def newest(reader, length):
    """The signature field whose byte range ends where the file does."""
    for name, value, reference in enumerate_sig_fields(reader, filled_status=True):
        try:
            ranges = [int(number) for number in value.get_object()["/ByteRange"]]
        except Exception:
            continue  # a stranger's broken signature
        if len(ranges) == 4 and ranges[2] + ranges[3] == length:
            return EmbeddedPdfSignature(reader, reference.get_object(), name)
    return None


def judge(request):
    with open(request["file"], "rb") as stream:
        try:
            reader = opened(stream, request.get("password"))
            reader.root["/Pages"]
        except Overdue:
            raise
        except Exception as error:
            return answer("unreadable", f"{type(error).__name__}: {error}")
        if not request["signature"]:
            try:
                list(enumerate_sig_fields(reader))
            except Overdue:
                raise
            except Exception as error:
                return answer("unreadable", f"{type(error).__name__}: {error}")
            return answer("readable")
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
