// A portal's server and the verification service: bind, log in, judge a document. Node 20 or newer, no packages.
//
//     SEALBRIDGE_KEY=sbk_… node portal.mjs http://127.0.0.1:8710 bid.pdf
//
// A real portal gives each challenge to its page, which calls `sealbridge.bind` or `sealbridge.login` and posts the token
// back. Here the challenge goes to standard output, and the token is read from standard input.

import { randomBytes } from "node:crypto";
import { openAsBlob } from "node:fs";
import { createInterface } from "node:readline/promises";

const [base, file] = process.argv.slice(2);
const key = process.env.SEALBRIDGE_KEY;

/** The service's refusal: `problem.code` is stable, `problem.words` are for people. */
class Refused extends Error {
  constructor(problem) {
    super(`${problem.code}: ${problem.title}`);
    this.problem = problem;
  }
}

async function call(method, path, body) {
  const isDocument = body instanceof Blob;
  const answer = await fetch(base + path, {
    method,
    headers: {
      Authorization: `Bearer ${key}`,
      "Accept-Language": "zh-CN",
      "Content-Type": isDocument ? "application/pdf" : "application/json",
    },
    body: isDocument || body === undefined ? body : JSON.stringify(body),
  });
  const value = await answer.json();
  if (!answer.ok) throw new Refused(value);
  return value;
}

const challenge = async (wanted) => (await call("POST", "/v1/challenges", wanted)).challenge;
const bind = (session, token) => call("POST", "/v1/bindings", { session, token });
const login = (session, token) => call("POST", "/v1/logins", { session, token });
// A blob of a file is sent in pieces and never held in memory.
const judge = async (path) => call("POST", "/v1/documents", await openAsBlob(path));

const say = (value) => console.log(JSON.stringify(value));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const hear = async () => (await lines.next()).value;

// The portal's own session of this browser; it is in no page and no address.
const session = randomBytes(32).toString("base64url");
say({ bind: await challenge({ kind: "bind", session, account: "supplier-1", creditCode: "91440300MA5DEMA00Y" }) });
await bind(session, await hear());
say({ login: await challenge({ kind: "login", session }) });
const token = await hear();
say(await login(session, token));
try {
  await login(session, token);
} catch (refused) {
  if (!(refused instanceof Refused)) throw refused;
  say(refused.problem);
}
say(await judge(file));
process.exit(0);
