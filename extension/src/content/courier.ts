// The detour for Chromium kernels whose extension messages are JSON: a hidden frame of the extension takes the documents
// from here and hands them to the stamping page by BroadcastChannel, and the results the same way back. The frame shows nothing and
// decides nothing. It lies in a closed shadow tree, so the page has no reference to it, and the channel's name, made up by
// the stamping page and told over the extension's own port, is known to nobody else.

import type { ToCourier, ToDocument } from "../messages";

/** Sends the documents through a new frame; gives back how to take the frame away. */
export function sendByCourier(channel: string, blobs: Blob[], onMessage: (message: ToDocument) => void): () => void {
  const host = document.createElement("div");
  const frame = document.createElement("iframe");
  const address = chrome.runtime.getURL("courier.html");
  frame.src = address;
  frame.tabIndex = -1;
  frame.ariaHidden = "true";
  for (const element of [host, frame]) element.style.cssText = "all: initial !important; position: fixed !important; width: 0 !important; height: 0 !important; border: 0 !important; visibility: hidden !important;";
  host.attachShadow({ mode: "closed" }).append(frame);
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = (event) => onMessage(event.data as ToDocument);
  frame.addEventListener(
    "load",
    () => {
      // The address may be a name for this session only; the frame's origin is the extension's own.
      frame.contentWindow?.postMessage({ channel, blobs } satisfies ToCourier, `chrome-extension://${chrome.runtime.id}`, [port2]);
    },
    { once: true },
  );
  document.documentElement.append(host);
  return () => {
    port1.close();
    host.remove();
  };
}
