"""A portal's server and the verification service: bind, log in, judge a document. Standard library only.

    SEALBRIDGE_KEY=sbk_… python3 portal.py http://127.0.0.1:8710 bid.pdf

A real portal gives each challenge to its page, which calls `sealbridge.bind` or `sealbridge.login` and posts the token
back. Here the challenge goes to standard output, and the token is read from standard input.
"""

import json
import os
import secrets
import sys
import urllib.error
import urllib.request


class Refused(Exception):
    """The service's refusal: `code` is stable, `words` are for people."""

    def __init__(self, problem):
        super().__init__(f"{problem['code']}: {problem['title']}")
        self.problem = problem


class Service:
    def __init__(self, base, key):
        self.base, self.key = base, key

    def call(self, method, path, body=None, content_type="application/json", length=None):
        headers = {"Authorization": f"Bearer {self.key}", "Accept-Language": "zh-CN", "Content-Type": content_type}
        if length is not None:
            headers["Content-Length"] = str(length)
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        request = urllib.request.Request(self.base + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=600) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Refused(json.load(error)) from None

    def challenge(self, **wanted):
        return self.call("POST", "/v1/challenges", wanted)["challenge"]

    def bind(self, session, token):
        return self.call("POST", "/v1/bindings", {"session": session, "token": token})

    def login(self, session, token):
        return self.call("POST", "/v1/logins", {"session": session, "token": token})

    def judge(self, file):
        # The open file is the body: it is sent in pieces and never held in memory.
        with open(file, "rb") as document:
            return self.call("POST", "/v1/documents", document, "application/pdf", os.path.getsize(file))


def say(value):
    print(json.dumps(value, ensure_ascii=False), flush=True)


def main():
    service = Service(sys.argv[1], os.environ["SEALBRIDGE_KEY"])
    # The portal's own session of this browser; it is in no page and no address.
    session = secrets.token_urlsafe(32)
    say({"bind": service.challenge(kind="bind", session=session, account="supplier-1", creditCode="91440300MA5DEMA00Y")})
    service.bind(session, input())
    say({"login": service.challenge(kind="login", session=session)})
    token = input()
    say(service.login(session, token))
    try:
        service.login(session, token)
    except Refused as refused:
        say(refused.problem)
    say(service.judge(sys.argv[2]))


main()
