// web-eid: what the shim for pages that were written for Web eID asks for. The key signs the site's challenge in Web eID's
// form; the token is checked before the page gets it. Whether the shim is on here was judged before.

import { Refused } from "../../failure";
import type { WebEidAnswer, WebEidArguments } from "../../protocol";
import type { Call } from "../call";
import { signedOrigin } from "../origin";
import * as host from "../host";
import { wasm } from "../module";

export async function webEid(call: Call): Promise<WebEidAnswer> {
  const { webEidNonce: nonce } = call.arguments;
  if (nonce === undefined) throw new Refused("request-malformed");
  const asked: WebEidArguments = { origin: await signedOrigin(call.origin), nonce };
  const key = { operation: call.operation, language: call.language, deadlineMs: call.timeoutMs, onPhase: call.onPhase };
  const answer = call.resumed ? await host.outcomeOnly("web-eid", key) : await host.useKey("web-eid", asked, { ...key, again: false });
  const { checkWebEid } = await wasm();
  checkWebEid(JSON.stringify(answer), JSON.stringify(asked), Math.floor(Date.now() / 1000));
  return answer;
}

/** The host's version. No token is looked at and no key is used. */
export async function webEidStatus(call: Call): Promise<{ host: string }> {
  await signedOrigin(call.origin);
  const { host: version } = await host.hello();
  return { host: version };
}
