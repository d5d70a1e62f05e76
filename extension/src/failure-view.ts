// A failure as people see it: what happened, what to do, and the code for whoever helps them.

import { language, t } from "./language";
import { tell } from "./protocol";
import type { Failure } from "./protocol";

/** A failure in one line: what happened and what to do. */
export function oneLine(failure: Failure): string {
  const told = tell(failure, language());
  return [told.what, told.remedy].join(language() === "en" ? " " : "");
}

/** Fills an element with role=alert; `data-code` carries the code for tests and support. Null hides it. */
export function showFailure(element: HTMLElement, failure: Failure | null): void {
  element.hidden = failure === null;
  element.replaceChildren();
  delete element.dataset["code"];
  if (!failure) return;
  const told = tell(failure, language());
  element.dataset["code"] = failure.code;
  const line = (name: string, className: string, text: string): void => {
    const part = document.createElement(name);
    part.className = className;
    part.textContent = text;
    element.append(part);
  };
  line("p", "what", told.what);
  line("p", "remedy", told.remedy);
  line("p", "code", t("failureCode", failure.code));
}
