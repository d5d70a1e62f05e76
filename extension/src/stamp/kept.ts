// What a list of documents needs so that nothing is signed twice when this page is closed or loaded again: the revisions that
// the host was asked to sign, under which id, and the signatures once they are there. It lies in the extension's own IndexedDB,
// holds appended revisions and no documents, and is forgotten when the results have been handed over, after an hour, and when the
// browser starts. A store that does not work costs the resuming and nothing else.

const DATABASE = "sealbridge-lists";
const STORE = "lists";
/** As long as a page's call may take. */
const KEPT_MS = 3_600_000;

export interface KeptList {
  /** Of the visit. */
  operation: string;
  origin: string;
  /** Under which the host was asked. */
  hostOperation: string;
  /** Milliseconds. */
  at: number;
  documents: { index: number; name: string; size: number; digest: string; revision: Uint8Array }[];
  /** In the order of the documents; null until the host has answered. */
  signatures: string[] | null;
}

/** Writes down what is about to be signed, or what has been. */
export async function keep(list: KeptList): Promise<void> {
  await inStore("readwrite", (store) => store.put(list));
}

export async function forget(operation: string): Promise<void> {
  await inStore("readwrite", (store) => store.delete(operation));
}

/** Forgets everything: documents of an earlier life of the browser do not come back. */
export async function forgetAll(): Promise<void> {
  await inStore("readwrite", (store) => store.clear());
}

/**
 * What was under way for these documents: by this visit, or by an earlier one of the same site for documents of the same names and
 * sizes, whose page was closed. Whether the bytes are the same shows when it is finished. Old ones are forgotten on the way.
 */
export async function find(operation: string, origin: string, papers: readonly { name: string; blob: Blob }[]): Promise<KeptList | null> {
  const lists = (await inStore("readonly", (store) => store.getAll() as IDBRequest<KeptList[]>)) ?? [];
  const old = (list: KeptList): boolean => Date.now() - list.at > KEPT_MS;
  for (const list of lists) if (old(list)) await forget(list.operation);
  const fits = (list: KeptList): boolean =>
    list.origin === origin && list.documents.every(({ index, name, size }) => papers[index]?.name === name && papers[index].blob.size === size);
  const young = lists.filter((list) => !old(list) && fits(list)).sort((one, other) => other.at - one.at);
  return young.find((list) => list.operation === operation) ?? young[0] ?? null;
}

/** One transaction; null where the store does not work. */
function inStore<T>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T | null> {
  return new Promise((resolve) => {
    const nothing = (): void => resolve(null);
    try {
      const opening = indexedDB.open(DATABASE, 1);
      opening.onupgradeneeded = () => void opening.result.createObjectStore(STORE, { keyPath: "operation" });
      opening.onerror = opening.onblocked = nothing;
      opening.onsuccess = () => {
        const database = opening.result;
        const transaction = database.transaction(STORE, mode);
        const request = ask(transaction.objectStore(STORE));
        transaction.oncomplete = () => {
          database.close();
          resolve(request.result);
        };
        transaction.onerror = transaction.onabort = () => {
          database.close();
          nothing();
        };
      };
    } catch {
      nothing();
    }
  });
}
