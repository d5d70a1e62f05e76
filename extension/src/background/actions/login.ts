// login: the key signs the portal's challenge. The statement is checked before the page gets it.

import { Refused } from "../../failure";
import type { LoginAnswer, LoginArguments } from "../../protocol";
import type { Call } from "../call";
import { signedOrigin } from "../origin";
import * as host from "../host";
import { wasm } from "../module";

export async function login(call: Call): Promise<LoginAnswer> {
  const { nonce } = call.arguments;
  if (nonce === undefined) throw new Refused("request-malformed");
  const asked: LoginArguments = { origin: await signedOrigin(call.origin), nonce };
  const key = { operation: call.operation, language: call.language, deadlineMs: call.timeoutMs, onPhase: call.onPhase };
  const answer = call.resumed ? await host.outcomeOnly("login", key) : await host.useKey("login", asked, { ...key, again: false });
  const { checkStatement } = await wasm();
  checkStatement("login", answer.token, JSON.stringify({ ...asked, operation: call.operation }), Math.floor(Date.now() / 1000));
  return answer;
}
