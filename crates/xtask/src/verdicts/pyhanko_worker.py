"""Judges the integrity of every signature of a file with pyHanko, in one long-lived process: starting Python costs more than judging.

Started with a limit in seconds per file. Each line of standard input is a JSON object {"file": path, "password": text or null}; each
answer is one line {"state": ..., "words": ..., "signatures": [{"field", "intact", "coverage", "modification", "allowed", "words"}]}:

read         pyHanko could read the file; its signatures follow
unreadable   it could not
timed-out    the limit ended it

Nobody is trusted and nothing is fetched: only what was signed, what is covered and what was changed later is asked. Key usage is left
out, because these certificates are strangers'. "intact" is null where pyHanko gives no verdict on a signature, "words" says why.

A document timestamp says that bytes existed: asked is whether it is over them and what it covers. pyHanko's opinion of later changes is no
part of its own verdict on a timestamp either, and is asked of the signatures.
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


def short(words):
    return " ".join(str(words).split())[:200]


def answer(state, words="", signatures=()):
    answers.write(json.dumps({"state": state, "words": short(words), "signatures": list(signatures)}) + "\n")
    answers.flush()


try:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
    from pyhanko.sign.validation.settings import KeyUsageConstraints
    from pyhanko_certvalidator import ValidationContext
    from pyhanko_certvalidator.registry import SimpleTrustManager
except ImportError as missing:
    answer("missing", missing)
    sys.exit(0)


class Overdue(Exception):
    pass


def overdue(_number, _frame):
    raise Overdue()


signal.signal(signal.SIGALRM, overdue)
limit = int(sys.argv[1])


def context():
    return ValidationContext(trust_manager=SimpleTrustManager.build(trust_roots=[]), allow_fetching=False, weak_hash_algos=set())


def one(signature):
    found = {"field": signature.field_name, "intact": None, "coverage": None, "modification": None, "allowed": None, "words": ""}
    try:
        stamp = signature.sig_object.get("/Type", None) == "/DocTimeStamp"
        if stamp:
            status = validate_pdf_timestamp(signature, context())
        else:
            status = validate_pdf_signature(signature, context(), key_usage_settings=KeyUsageConstraints(key_usage=set()))
        found["intact"] = bool(status.intact and status.valid)
        found["coverage"] = str(status.coverage).split(".")[-1]
        found["modification"] = None if stamp else str(status.modification_level).split(".")[-1]
        found["allowed"] = getattr(status, "docmdp_ok", None)
        found["words"] = short(status.summary())
    except Overdue:
        raise
    except Exception as error:
        found["words"] = short(f"{type(error).__name__}: {error}")
    return found


def judge(request):
    with open(request["file"], "rb") as stream:
        try:
            reader = PdfFileReader(stream, strict=False)
            if reader.encrypted:
                reader.decrypt(request.get("password") or "")
            signatures = reader.embedded_signatures
        except Overdue:
            raise
        except Exception as error:
            return answer("unreadable", f"{type(error).__name__}: {error}")
        answer("read", "", [one(signature) for signature in signatures])


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
