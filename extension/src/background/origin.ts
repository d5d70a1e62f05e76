// The origin in the form that gets signed. Loopback origins only where the host says it serves developers.

import * as host from "./host";
import { wasm } from "./module";

export async function signedOrigin(origin: string): Promise<string> {
  const { checkOrigin } = await wasm();
  // What no setting allows is refused before the host is started.
  checkOrigin(origin, true);
  const { developer } = await host.hello();
  return checkOrigin(origin, developer);
}
