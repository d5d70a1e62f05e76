// The language of the extension's own pages and of the host's windows: the user's choice, else the browser's.
// Both languages are bundled, because the browser's own message lookup can not be switched by the user.

import zh from "../static/_locales/zh_CN/messages.json";
import en from "../static/_locales/en/messages.json";
import type { Language } from "./protocol";

export type Key = keyof typeof zh;
const MESSAGES: Record<Language, Record<Key, { message: string }>> = { "zh-CN": zh, en };

let current: Language = "zh-CN";

/** The user's language. English browsers get English, all others Chinese, unless the user chose in the popup. */
export async function userLanguage(): Promise<Language> {
  const { language } = await chrome.storage.local.get("language");
  if (language === "zh-CN" || language === "en") return language;
  return chrome.i18n.getUILanguage().toLowerCase().startsWith("en") ? "en" : "zh-CN";
}

/** Reads the language once for this page and marks the document with it. */
export async function useLanguage(): Promise<Language> {
  current = await userLanguage();
  document.documentElement.lang = current;
  return current;
}

export function language(): Language {
  return current;
}

/** A text of the user interface; `$1`, `$2` are replaced. */
export function t(key: Key, ...values: (string | number)[]): string {
  return MESSAGES[current][key].message.replace(/\$(\d)/g, (_all, index: string) => String(values[Number(index) - 1] ?? ""));
}

/** Fills every element that has `data-t` (text), `data-t-label` (aria-label) or `data-t-title` (title). */
export function translate(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLElement>("[data-t]")) element.textContent = t(element.dataset["t"] as Key);
  for (const element of root.querySelectorAll<HTMLElement>("[data-t-label]")) element.setAttribute("aria-label", t(element.dataset["tLabel"] as Key));
  for (const element of root.querySelectorAll<HTMLElement>("[data-t-title]")) element.title = t(element.dataset["tTitle"] as Key);
}
