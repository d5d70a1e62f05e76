// Who is asking, as the browser says. Nothing that a page or a content script writes is used here.

import { Refused } from "../failure";

export interface Caller {
  origin: string;
  tab: number;
}

/** The top frame behind a port from a content script. */
export function callerOf(sender: chrome.runtime.MessageSender | undefined): Caller {
  if (!sender || sender.id !== chrome.runtime.id) throw new Refused("caller-refused");
  if (sender.frameId !== 0) throw new Refused("frame-refused");
  const lifecycle = (sender as { documentLifecycle?: string }).documentLifecycle;
  // Firefox does not tell; Chromium prerenders pages that nobody has looked at.
  if (lifecycle !== undefined && lifecycle !== "active") throw new Refused("frame-refused");
  const tab = sender.tab?.id;
  if (tab === undefined || sender.url === undefined) throw new Refused("caller-refused");
  const address = originOfAddress(sender.url);
  const origin = (sender as { origin?: string }).origin ?? address;
  // A sandboxed document has the address of its site and the origin "null".
  if (origin !== address) throw new Refused("origin-refused", { origin });
  return { origin, tab };
}

/** A port from one of the extension's own pages. */
export function ownPage(sender: chrome.runtime.MessageSender | undefined, page: string): boolean {
  return sender?.id === chrome.runtime.id && (sender.url ?? "").startsWith(chrome.runtime.getURL(page));
}

function originOfAddress(address: string): string {
  try {
    return new URL(address).origin;
  } catch {
    throw new Refused("origin-refused", { origin: address.slice(0, 255) });
  }
}
