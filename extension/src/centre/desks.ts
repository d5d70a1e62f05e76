// Where the authority of a certificate has its desk: an administrator's list says so, or the person, who has typed the address.
// A page or a certificate can not: an address that somebody else brings here would lead people to a stranger's desk.

/** The desk of an authority, for certificates that name it as their issuer. */
export interface Desk {
  issuer: string;
  /** Of one institution's page, without a slash at its end. */
  address: string;
  source: "managed" | "own";
}

/** What is done there, by the last part of its address. */
export type Business = "renewal" | "reissue" | "unlock" | "seal-apply" | "seal-change";

/** How long a policy is waited for. */
const POLICY_MS = 1_000;
/** Longest address. */
const ADDRESS_MAX = 500;

/** Under what the address is kept that was typed for a key without a certificate, which has no issuer yet. */
export const NO_ISSUER = "";

export async function deskOf(issuer: string): Promise<Desk | null> {
  const managed = (await managedDesks()).find((desk) => desk.issuer === issuer);
  if (managed) return managed;
  const address = checked((await ownDesks())[issuer]);
  return address === null ? null : { issuer, address, source: "own" };
}

/** Keeps what the person has typed; false where that is no address of a desk. An empty text takes it away. */
export async function setDesk(issuer: string, typed: string): Promise<boolean> {
  const own = await ownDesks();
  const address = checked(typed);
  if (typed.trim() === "") delete own[issuer];
  else if (address === null) return false;
  else own[issuer] = address;
  await chrome.storage.local.set({ desks: own });
  return true;
}

export function openDesk(desk: Desk, business: Business): void {
  void chrome.tabs.create({ url: `${desk.address}/${business}` });
}

async function ownDesks(): Promise<Record<string, string>> {
  const { desks } = await chrome.storage.local.get("desks");
  return typeof desks === "object" && desks !== null ? (desks as Record<string, string>) : {};
}

async function managedDesks(): Promise<Desk[]> {
  // Firefox rejects where there is no policy; Chromium may answer only seconds after its start.
  const policy = chrome.storage.managed.get("desks").catch(() => ({}));
  const patience = new Promise<Record<string, unknown>>((resolve) => setTimeout(() => resolve({}), POLICY_MS));
  const { desks } = (await Promise.race([policy, patience])) as Record<string, unknown>;
  if (!Array.isArray(desks)) return [];
  return desks.flatMap((entry: unknown): Desk[] => {
    const { issuer, address } = (entry ?? {}) as Record<string, unknown>;
    const good = checked(address);
    return typeof issuer === "string" && good !== null ? [{ issuer, address: good, source: "managed" }] : [];
  });
}

/** https, or http on this computer, without a name and password in it. */
export function checked(address: unknown): string | null {
  if (typeof address !== "string" || address.length > ADDRESS_MAX || !URL.canParse(address.trim())) return null;
  const url = new URL(address.trim());
  const local = url.protocol === "http:" && ["localhost", "127.0.0.1"].includes(url.hostname);
  if ((url.protocol !== "https:" && !local) || url.username !== "" || url.password !== "") return null;
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}
