/** The files that are kept, under their addresses and hashes, with the policy's headers put on them. */
import { addressOf, type BuiltFile, isWhole, keyOf, stale } from "./files";

export interface KeptOptions {
  readonly files: readonly BuiltFile[];
  /** Put on every answer, so that pages and workers are bound by them on hosts that send none. */
  readonly headers: Readonly<Record<string, string>>;
  /** The address of the service worker's folder; it ends with a slash. */
  readonly scope: string;
}

export interface Kept {
  /** Fetches what is not here yet of the files that belong to the moment. Throws where one does not come as it was built. */
  fetchAll(moment: BuiltFile["fetched"]): Promise<void>;
  /** The file, from here or the network; `later` is told of work that outlasts the answer. */
  answer(file: BuiltFile, request: Request, later: (work: Promise<unknown>) => void): Promise<Response>;
  /** A file of an older version that a tab still runs, or what the network says. */
  answerOld(request: Request): Promise<Response>;
  /** Deletes what this version does not have, where `isAlone` says so and no version fetches just now. */
  sweep(isAlone: () => Promise<boolean>): Promise<void>;
}

/** Thrown where a host hands out something else than was built, as in the middle of an update. */
class ChangedFileError extends Error {
  override readonly name = "ChangedFileError";
}

export function keptFiles({ files, headers, scope }: KeptOptions): Kept {
  // All versions share it, and a lock of its name: one that is being installed counts on what it finds there.
  const name = `tabtune ${scope}`;
  const open = (): Promise<Cache> => caches.open(name);

  const put = async (file: BuiltFile, response: Response): Promise<void> => {
    const bytes = isWhole(response) ? await response.arrayBuffer() : null;
    if (bytes === null || (await hashOf(bytes)) !== file.hash) {
      throw new ChangedFileError(`${file.path} is not as it was built (HTTP status ${response.status}).`);
    }
    const type = response.headers.get("content-type");
    const own = { ...(type === null ? {} : { "content-type": type }), "content-length": String(bytes.byteLength) };
    await (await open()).put(keyOf(file, scope), new Response(bytes, { headers: { ...own, ...headers } }));
  };

  const fetchOne = async (file: BuiltFile): Promise<void> => {
    if ((await (await open()).match(keyOf(file, scope))) !== undefined) return;
    // Hosts let browsers keep files for a while without asking whether they have changed.
    await put(file, await fetch(addressOf(file, scope), { cache: "no-cache" }));
  };

  return {
    async fetchAll(moment) {
      const wanted = files.filter(({ fetched }) => fetched === moment);
      await navigator.locks.request(name, { mode: "shared" }, () => Promise.all(wanted.map(fetchOne)));
    },
    async answer(file, request, later) {
      const kept = await (await open()).match(keyOf(file, scope));
      if (kept) return kept;
      const response = await fetch(request);
      if (!isWhole(response)) return response;
      // Without room, or with other content, the next visit fetches it again.
      later(put(file, response.clone()).catch(() => undefined));
      return bound(response, headers);
    },
    async answerOld(request) {
      return (await (await open()).match(request, { ignoreSearch: true })) ?? fetch(request);
    },
    async sweep(isAlone) {
      await navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
        if (lock === null || !(await isAlone())) return;
        const cache = await open();
        const keys = (await cache.keys()).map(({ url }) => url);
        await Promise.all(stale(keys, files, scope).map((key) => cache.delete(key)));
      });
    },
  };
}

function bound(response: Response, headers: KeptOptions["headers"]): Response {
  const all = new Headers(response.headers);
  for (const [name, value] of Object.entries(headers)) all.set(name, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers: all });
}

async function hashOf(bytes: ArrayBuffer): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
