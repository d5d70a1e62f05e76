// status: what is there and what is missing. A page learns no names, serial numbers or certificates; the popup does.

import { failureOf, tellPage } from "../../failure";
import type { HelloAnswer, Language, PageFailure } from "../../protocol";
import { tell } from "../../protocol";
import type { StatusView } from "sealbridge-wasm";
import * as host from "../host";
import { wasm } from "../module";
import type { Call } from "../call";

export interface Overview {
  hello: HelloAnswer | null;
  status: StatusView | null;
  missing: PageFailure[];
  missingForStamp: PageFailure[];
}

/** Everything the host tells, for the extension's own pages. */
export async function overview(language: Language): Promise<Overview> {
  try {
    const hello = await host.hello();
    const answer = await host.ask("status", {}, language);
    const { describeStatus } = await wasm();
    const status = describeStatus(answer, Math.floor(Date.now() / 1000));
    return {
      hello,
      status,
      missing: status.missing.map((failure) => tell(failure, language)),
      missingForStamp: status.missingForStamp.map((failure) => tell(failure, language)),
    };
  } catch (thrown) {
    return { hello: null, status: null, missing: [tell(failureOf(thrown), language)], missingForStamp: [] };
  }
}

/** What the page gets. */
export async function status(call: Call): Promise<unknown> {
  const { hello, status, missing } = await overview(call.language);
  return {
    extension: EXTENSION_VERSION,
    host: hello?.host ?? null,
    platform: hello?.platform ?? null,
    tokens: (status?.tokens ?? []).map((token) => ({
      state: token.state,
      // Of a renewed key only the newest counts, as it does for the host.
      certificates: token.certificates.filter((certificate) => certificate.login === null && !certificate.renewed).length,
      seals: token.seals.length,
    })),
    ready: missing.length === 0,
    missing: missing.map((failure) => tellPage(failure, call.language)),
  };
}
