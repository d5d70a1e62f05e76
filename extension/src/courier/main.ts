// The courier frame, for Chromium kernels whose extension messages are JSON: takes the documents of one call from the content script around
// it and hands them to the stamping page; what the stamping page sends comes back the same way. It shows nothing, stores nothing,
// and gives nobody anything that he did not bring along: without the channel's name a page that frames it talks to itself.

import type { FromDocument, ToCourier } from "../messages";

let taken = false;

window.addEventListener("message", (event) => {
  const [port] = event.ports;
  if (taken || event.source !== window.parent || window.parent === window || !port || !isErrand(event.data)) return;
  taken = true;
  const { channel, blobs } = event.data;
  const stampingPage = new BroadcastChannel(`document:${channel}`);
  stampingPage.onmessage = (message) => port.postMessage(message.data);
  stampingPage.postMessage({ type: "documents", blobs } satisfies FromDocument);
});

function isErrand(value: unknown): value is ToCourier {
  if (typeof value !== "object" || value === null) return false;
  const errand = value as Partial<ToCourier>;
  return typeof errand.channel === "string" && /^[\w-]{22}$/.test(errand.channel) && Array.isArray(errand.blobs) && errand.blobs.every((blob) => blob instanceof Blob);
}
