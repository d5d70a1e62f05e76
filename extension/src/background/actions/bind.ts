// bind: the key's certificate belongs to this account of this portal. The statement is checked before the page gets it.

import { Refused } from "../../failure";
import type { Binding } from "../../messages";
import type { BindAnswer, BindArguments } from "../../protocol";
import type { Call } from "../call";
import { signedOrigin } from "../origin";
import * as host from "../host";
import { wasm } from "../module";

export async function bind(call: Call): Promise<BindAnswer> {
  const { nonce, account } = call.arguments;
  if (nonce === undefined || account === undefined) throw new Refused("request-malformed");
  const asked: BindArguments = { origin: await signedOrigin(call.origin), nonce, account };
  const key = { operation: call.operation, language: call.language, deadlineMs: call.timeoutMs, onPhase: call.onPhase };
  const answer = call.resumed ? await host.outcomeOnly("bind", key) : await host.useKey("bind", asked, { ...key, again: false });
  const { checkStatement } = await wasm();
  const signer = checkStatement("bind", answer.token, JSON.stringify({ ...asked, operation: call.operation }), Math.floor(Date.now() / 1000));
  await remember(call.origin, { account, organisation: signer.organisation, certificate: signer.certificate, at: Math.floor(Date.now() / 1000) });
  return answer;
}

/** What the popup shows later as "known here"; the portal alone knows whether it took the binding. */
async function remember(origin: string, binding: Binding): Promise<void> {
  const { bindings } = await chrome.storage.local.get("bindings");
  await chrome.storage.local.set({ bindings: { ...(bindings as Record<string, Binding> | undefined), [origin]: binding } });
}
