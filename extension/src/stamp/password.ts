// The dialog for a document's own password. It opens the PDF and is not the USB key's PIN, which is never asked for here; it
// stays in this page and its worker and goes neither to the portal nor to the host.

import { $ } from "../draw";
import { oneLine } from "../failure-view";
import { t } from "../language";
import type { Failure } from "../protocol";

/** What the document said: it needs a password, the last one was wrong, or it asks for its owner's. */
export const PASSWORD_CODES: readonly string[] = ["pdf-password-needed", "pdf-password-wrong"];

/** Asks for the password; null where the person gives up. `owner` asks for the one that permits changes. */
export function askPassword(failure: Failure | null, owner = false): Promise<string | null> {
  const dialog = $<HTMLDialogElement>("unlock");
  const input = $<HTMLInputElement>("unlock-password");
  const wrong = $("unlock-wrong");
  $("unlock-why").textContent = t(owner ? "unlockWhyOwner" : "unlockWhy");
  wrong.hidden = failure?.code !== "pdf-password-wrong";
  wrong.textContent = "";
  delete wrong.dataset["code"];
  if (failure && !wrong.hidden) {
    wrong.dataset["code"] = failure.code;
    wrong.textContent = oneLine(failure);
  }
  input.value = "";
  input.setAttribute("aria-invalid", String(!wrong.hidden));
  const events = new AbortController();
  const { signal } = events;
  $("unlock-form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.value !== "") dialog.close("open");
  }, { signal });
  $("unlock-cancel").addEventListener("click", () => dialog.close(""), { signal });
  dialog.returnValue = "";
  dialog.showModal();
  input.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      events.abort();
      const password = input.value;
      input.value = "";
      resolve(dialog.returnValue === "open" ? password : null);
    }, { once: true });
  });
}
