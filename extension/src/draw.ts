// How parts of the extension's own pages are made: elements, buttons, lists of facts, days, empty places, files for the person. The texts come
// from `language`; nothing is decided here.

import { language } from "./language";

export const $ = <E extends HTMLElement = HTMLElement>(id: string): E => document.getElementById(id) as E;

export function element<N extends keyof HTMLElementTagNameMap>(name: N, className = "", text = ""): HTMLElementTagNameMap[N] {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

/** An element with children. */
export function box<N extends keyof HTMLElementTagNameMap>(name: N, className: string, ...children: (Node | null)[]): HTMLElementTagNameMap[N] {
  const made = element(name, className);
  made.append(...children.filter((child) => child !== null));
  return made;
}

export function button(text: string, onClick: () => void, className = ""): HTMLButtonElement {
  const made = element("button", className, text);
  made.type = "button";
  made.addEventListener("click", onClick);
  return made;
}

/** Names and values; values that are not there are left out. */
export function facts(...rows: [string, string | Node | null | undefined][]): HTMLElement {
  const list = element("dl", "facts");
  for (const [name, value] of rows) {
    if (value === null || value === undefined || value === "") continue;
    const told = element("dd");
    told.append(value);
    list.append(box("div", "", element("dt", "", name), told));
  }
  return list;
}

/** A mark beside a name, in words and colour. */
export function badge(text: string, level: "" | "good" | "warn" | "bad"): HTMLElement {
  return element("span", `badge ${level}`, text);
}

/** What is said where there is nothing to show. */
export function empty(title: string, text: string, ...controls: HTMLElement[]): HTMLElement {
  return box("div", "empty", element("p", "title", title), element("p", "", text), controls.length > 0 ? box("div", "tools", ...controls) : null);
}

export function day(unix: number): string {
  return new Date(unix * 1000).toLocaleDateString(language(), date());
}

export function moment(unix: number): string {
  return new Date(unix * 1000).toLocaleString(language(), { ...date(), hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

/** In English with the month's name: which number is the day differs from country to country. */
function date(): Intl.DateTimeFormatOptions {
  return { year: "numeric", month: language() === "en" ? "short" : "2-digit", day: "2-digit" };
}

/** A serial number as people compare it: in groups of four. */
export function grouped(serial: string): string {
  return serial.replace(/(.{4})(?=.)/g, "$1 ");
}

/** Gives the person a file; nothing leaves the computer. */
export function save(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
