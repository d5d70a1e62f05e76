// The form fields over the drawn page: inputs that show their own text only while it differs from what is drawn, and the
// signature fields as places that can be pressed.

import type { FieldView } from "sealbridge-wasm";
import { t } from "../language";
import type { Widget } from "./geometry";

/** Makes the elements for fields; values that a person enters are told to `onValue`. */
export class Fields {
  onValue: (field: FieldView, value: string) => void = () => undefined;
  onField: (name: string) => void = () => undefined;

  constructor(
    private readonly layer: HTMLElement,
    private readonly values: ReadonlyMap<string, string>,
  ) {}

  /** The element of one field's widget; `pending` where its value is not drawn yet. */
  element({ field, index, box }: Widget, pxPerMm: number, pending: boolean): HTMLElement {
    const element = field.kind === "signature" ? this.#spot(field) : this.#input(field, index, box.height, pxPerMm);
    if (pending && this.values.has(field.name)) element.classList.add("pending");
    element.dataset["key"] = `${field.name}/${index}`;
    return element;
  }

  #input(field: FieldView, index: number, height: number, pxPerMm: number): HTMLElement {
    const value = this.values.get(field.name) ?? field.value;
    let input: HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;
    const changed = (next: string): void => {
      for (const other of this.layer.querySelectorAll<HTMLElement>("[data-field]")) if (other.dataset["field"] === field.name) other.classList.add("pending");
      this.onValue(field, next);
    };
    if (field.kind === "checkbox" || field.kind === "radio") {
      const button = document.createElement("input");
      button.type = field.kind;
      button.name = field.name;
      const state = field.states[field.kind === "radio" ? index : 0] ?? "Yes";
      button.value = state;
      button.checked = value === state;
      button.addEventListener("change", () => changed(button.checked ? state : "Off"));
      input = button;
    } else if (field.kind === "choice" && !field.editable) {
      const select = document.createElement("select");
      if (!field.options.some((option) => option.value === value)) select.append(new Option(value, value));
      for (const option of field.options) select.append(new Option(option.shown, option.value, false, option.value === value));
      select.value = value;
      select.addEventListener("change", () => changed(select.value));
      input = select;
    } else {
      const text = field.multiline ? document.createElement("textarea") : document.createElement("input");
      text.value = value;
      if (field.maxLength !== null) text.maxLength = field.maxLength;
      if (text instanceof HTMLInputElement && field.options.length > 0) text.setAttribute("list", this.#options(field));
      text.spellcheck = false;
      text.addEventListener("input", () => changed(text.value));
      const line = field.multiline ? Math.min(4.6, height * 0.8) : height * 0.62;
      text.style.fontSize = `${Math.max(2.2, Math.min(line, 5)) * pxPerMm}px`;
      input = text;
    }
    input.disabled = field.readOnly;
    input.required = field.required;
    input.dataset["field"] = field.name;
    input.setAttribute("aria-label", field.label);
    input.title = field.label;
    input.classList.add("field");
    return input;
  }

  #options(field: FieldView): string {
    const list = document.createElement("datalist");
    list.id = `options-${this.layer.childElementCount}`;
    for (const option of field.options) list.append(new Option(option.shown, option.value));
    this.layer.append(list);
    return list.id;
  }

  #spot(field: FieldView): HTMLElement {
    const spot = document.createElement("button");
    spot.type = "button";
    spot.className = field.signed ? "spot signed" : "spot";
    spot.dataset["signatureField"] = field.name;
    spot.disabled = field.signed || field.readOnly;
    const what = field.signed ? t("stampFieldSigned") : t("stampFieldPut");
    spot.title = what;
    spot.setAttribute("aria-label", `${t("stampField", field.label)}: ${what}`);
    spot.addEventListener("click", () => this.onField(field.name));
    return spot;
  }
}
