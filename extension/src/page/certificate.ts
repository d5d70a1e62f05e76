// What old pages ask of a certificate: names, serial number, thumbprint, extensions. Read from the DER that a login token carries.
// It only looks; whether the certificate is valid, and whose, is the server's to judge. Bytes that are no certificate are refused.

/** The old names; the extensions by their object identifiers, as text where they are text and else in hexadecimal digits. */
export interface CertificateFields {
  /** The certificate in DER, standard base64. */
  certCode: string;
  /** What old servers bind accounts to: the CA's unique id where the certificate has one, else the SHA-1 thumbprint. */
  AppUsrCertNO: string;
  subjectCN: string;
  subjectO: string;
  sn: string;
  thumbprint: string;
  extensions: Map<string, string>;
}

/** NETCA's unique id, and the identifier of the subject in the national arc. */
const UNIQUE_IDS = ["1.3.6.1.4.1.18760.1.12.11", "2.16.156.112548"];
const COMMON_NAME = "2.5.4.3";
const ORGANISATION = "2.5.4.10";
/** Far more than any certificate has. */
const ELEMENTS_MAX = 400;

interface Element {
  tag: number;
  content: Uint8Array;
}

export async function fieldsOf(der: Uint8Array<ArrayBuffer>): Promise<CertificateFields> {
  const tbs = childrenOf(nth(childrenOf(only(der)), 0));
  // [0] version stands first where it is there (RFC 5280 §4.1).
  const at = nth(tbs, 0).tag === 0xa0 ? 1 : 0;
  const subject = namesOf(nth(tbs, at + 4));
  const extensions = extensionsOf(tbs.find(({ tag }) => tag === 0xa3));
  const thumbprint = hexadecimal(new Uint8Array(await crypto.subtle.digest("SHA-1", der))).toUpperCase();
  return {
    certCode: btoa(String.fromCharCode(...der)),
    AppUsrCertNO: UNIQUE_IDS.map((oid) => extensions.get(oid)).find((value) => value !== undefined && value !== "") ?? thumbprint,
    subjectCN: subject.get(COMMON_NAME) ?? "",
    subjectO: subject.get(ORGANISATION) ?? "",
    sn: hexadecimal(nth(tbs, at).content).toUpperCase(),
    thumbprint,
    extensions,
  };
}

function namesOf(name: Element): Map<string, string> {
  const names = new Map<string, string>();
  for (const set of childrenOf(name)) {
    for (const pair of childrenOf(set)) {
      const [type, value] = childrenOf(pair);
      if (type && value && !names.has(oidOf(type))) names.set(oidOf(type), textOf(value));
    }
  }
  return names;
}

function extensionsOf(outer: Element | undefined): Map<string, string> {
  const found = new Map<string, string>();
  if (!outer) return found;
  for (const extension of childrenOf(nth(childrenOf(outer), 0))) {
    const parts = childrenOf(extension);
    const value = parts[parts.length - 1];
    if (value?.tag === 0x04) found.set(oidOf(nth(parts, 0)), innerText(value.content));
  }
  return found;
}

/** An extension's value: its text where it is one string, in DER or bare; else its bytes. */
function innerText(content: Uint8Array): string {
  try {
    const inner = only(content);
    if ([0x0c, 0x13, 0x16, 0x1e].includes(inner.tag)) return textOf(inner);
  } catch {
    // Some CAs write the text without its envelope.
    if (content.length > 0 && content.every((byte) => byte >= 0x20 && byte < 0x7f)) return String.fromCharCode(...content);
  }
  return hexadecimal(content);
}

function textOf({ tag, content }: Element): string {
  return new TextDecoder(tag === 0x1e ? "utf-16be" : "utf-8").decode(content);
}

function oidOf({ tag, content }: Element): string {
  if (tag !== 0x06) throw new TypeError("no object identifier");
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f);
    if (!Number.isSafeInteger(arc)) throw new TypeError("an arc that is too large");
    if (byte & 0x80) continue;
    if (arcs.length === 0) arcs.push(Math.min(Math.floor(arc / 40), 2), arc - Math.min(Math.floor(arc / 40), 2) * 40);
    else arcs.push(arc);
    arc = 0;
  }
  return arcs.join(".");
}

function childrenOf({ tag, content }: Element): Element[] {
  if ((tag & 0x20) === 0) throw new TypeError("not constructed");
  return elements(content);
}

function only(bytes: Uint8Array): Element {
  const [first, second] = elements(bytes);
  if (!first || second) throw new TypeError("not one element");
  return first;
}

function nth(list: Element[], index: number): Element {
  const element = list[index];
  if (!element) throw new TypeError("no certificate");
  return element;
}

/** The elements of DER side by side (X.690 8.1), definite lengths of up to four bytes. */
function elements(bytes: Uint8Array): Element[] {
  const found: Element[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at] ?? 0;
    let length = bytes[at + 1] ?? 0x80;
    let start = at + 2;
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count < 1 || count > 4) throw new TypeError("a length that is none");
      length = 0;
      for (let index = 0; index < count; index += 1) length = length * 256 + (bytes[start + index] ?? Number.NaN);
      start += count;
    }
    const end = start + length;
    if (!(end <= bytes.length) || (tag & 0x1f) === 0x1f || found.length >= ELEMENTS_MAX) throw new TypeError("broken DER");
    found.push({ tag, content: bytes.subarray(start, end) });
    at = end;
  }
  return found;
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
