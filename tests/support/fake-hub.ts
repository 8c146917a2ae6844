/**
 * The model hub as far as the app asks it, over its real addresses: descriptions, file lists in pages, downloads with
 * redirects, ranges and hashes, and the failures that tests want. A function from request to response, for an injected
 * fetch and for a browser's route handler alike.
 */

export interface FakeRepository {
  /** "org/name" */
  readonly id: string;
  readonly commit: string;
  /** Branches and tags that stand for the commit; "main" where not given. */
  readonly revisions?: readonly string[];
  readonly gated?: boolean;
  /** The head of its README. */
  readonly cardData?: unknown;
  readonly isPrivate?: boolean;
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

export interface FakeFault {
  /** A file's path. */
  readonly path: string;
  /** How many times; 1 where not given. */
  times?: number;
  readonly kind: /** The connection ends after this share of the file. */
    | { readonly type: "break"; readonly at: number }
    /** The connection stays open and silent after this share of the file. */
    | { readonly type: "hang"; readonly at: number }
    /** One byte is wrong. */
    | { readonly type: "corrupt" }
    /** The whole file is sent, whatever part was asked for. */
    | { readonly type: "ignore-range" }
    | { readonly type: "status"; readonly status: number; readonly retryAfter?: number };
}

export interface FakeHubOptions {
  readonly repositories: readonly FakeRepository[];
  /** Files at other addresses. */
  readonly sites?: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  readonly faults?: readonly FakeFault[];
  /** Bytes from which on a file lies in the large-file store. */
  readonly largeFrom?: number;
  readonly pageSize?: number;
}

export interface FakeRequest {
  readonly method: string;
  readonly url: string;
  readonly range: string | null;
  readonly ifRange: string | null;
}

export interface FakeHub {
  /** Follows redirects, as fetch does: a browser's route handler never sees where its own redirects lead. */
  handle(request: Request): Promise<Response>;
  readonly fetchFile: typeof fetch;
  /** In the order in which they came. */
  readonly requests: FakeRequest[];
  /** Nothing is reached while true. */
  offline: boolean;
  readonly faults: FakeFault[];
}

const hub = "https://huggingface.co";
const store = "https://cas-bridge.xethub.hf.co";
const chunkBytes = 8192;
const open = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers":
    "X-Repo-Commit,X-Error-Code,ETag,Link,Accept-Ranges,Content-Range,X-Linked-Size,X-Linked-ETag",
};

export function fakeHub(options: FakeHubOptions): FakeHub {
  const { repositories, sites, largeFrom = 50_000, pageSize = 1000 } = options;
  const faults = (options.faults ?? []).map((fault) => ({ ...fault }));
  const requests: FakeRequest[] = [];

  const take = (path: string): FakeFault["kind"] | undefined => {
    const fault = faults.find((one) => one.path === path && (one.times ?? 1) > 0);
    if (fault) fault.times = (fault.times ?? 1) - 1;
    return fault?.kind;
  };

  const refuse = (status: number, code: string): Response =>
    Response.json({ error: code }, { status, headers: { ...open, "x-error-code": code } });

  const find = (id: string, revision: string): FakeRepository | Response => {
    const repository = repositories.find((one) => one.id === id);
    if (!repository || repository.isPrivate) return refuse(401, "RepoNotFound");
    const known = [repository.commit, "HEAD", ...(repository.revisions ?? ["main"])];
    return known.includes(revision) ? repository : refuse(404, "RevisionNotFound");
  };

  const info = (repository: FakeRepository, url: URL): Response => {
    const all: Record<string, unknown> = {
      sha: repository.commit,
      private: false,
      gated: repository.gated ? "manual" : false,
      pipeline_tag: "text-generation",
      downloads: 1,
      likes: 1,
      lastModified: "2025-01-01T00:00:00.000Z",
      tags: [],
      ...(repository.cardData === undefined ? {} : { cardData: repository.cardData }),
    };
    const shown = url.searchParams.getAll("expand").filter((key) => key in all);
    const fields = Object.fromEntries(shown.map((key) => [key, all[key]]));
    return Response.json({ _id: "0", id: repository.id, ...fields }, { headers: open });
  };

  const tree = async (repository: FakeRepository, folder: string, url: URL): Promise<Response> => {
    const prefix = folder === "" ? "" : `${folder}/`;
    const recursive = url.searchParams.get("recursive") === "true";
    const paths = [...repository.files.keys()].filter((path) => path.startsWith(prefix));
    if (paths.length === 0) return refuse(404, "EntryNotFound");
    const folders = paths.flatMap((path) => {
      const parts = path.slice(prefix.length).split("/");
      return parts.slice(0, -1).map((_, i) => prefix + parts.slice(0, i + 1).join("/"));
    });
    const all = [
      ...[...new Set(folders)].map((path) => ({ path, isFile: false })),
      ...paths.map((path) => ({ path, isFile: true })),
    ];
    const listed = recursive ? all : all.filter(({ path }) => !path.slice(prefix.length).includes("/"));
    const from = Number(url.searchParams.get("cursor") ?? 0);
    const entries = await Promise.all(
      listed.slice(from, from + pageSize).map(({ path, isFile }) => {
        const bytes = repository.files.get(path);
        return isFile && bytes
          ? treeEntry(path, bytes, largeFrom)
          : { type: "directory", oid: "0".repeat(40), size: 0, path };
      }),
    );
    const next = new URL(url);
    next.searchParams.set("cursor", String(from + pageSize));
    const link = from + pageSize < listed.length ? { link: `<${next.href}>; rel="next"` } : {};
    return Response.json(entries, { headers: { ...open, ...link } });
  };

  const resolve = async (repository: FakeRepository, path: string, request: Request): Promise<Response> => {
    if (repository.gated) return refuse(401, "GatedRepo");
    const bytes = repository.files.get(path);
    if (!bytes) return refuse(404, "EntryNotFound");
    const entry = await treeEntry(path, bytes, largeFrom);
    const headers = { ...open, "x-repo-commit": repository.commit };
    if (!entry.lfs) return send(bytes, `"${entry.oid}"`, path, request, headers);
    const location = `${store}/${repository.id}/${entry.lfs.oid}/${path}`;
    const linked = { "x-linked-size": String(bytes.length), "x-linked-etag": `"${entry.lfs.oid}"` };
    return new Response(null, { status: 302, headers: { ...headers, ...linked, location } });
  };

  const send = (
    bytes: Uint8Array<ArrayBuffer>,
    etag: string,
    path: string,
    request: Request,
    extra: Record<string, string>,
  ): Response => {
    const fault = request.method === "HEAD" ? undefined : take(path);
    if (fault?.type === "status") {
      const after: Record<string, string> =
        fault.retryAfter === undefined ? {} : { "retry-after": String(fault.retryAfter) };
      return new Response("no", { status: fault.status, headers: { ...extra, ...after } });
    }
    // A range is of GET alone (RFC 9110, 14.2).
    const asked = request.method === "GET" ? request.headers.get("range") : null;
    const range = /^bytes=(\d+)-(\d*)$/.exec(asked ?? "");
    const condition = request.headers.get("if-range");
    const partial = range !== null && fault?.type !== "ignore-range" && (condition === null || condition === etag);
    const from = partial ? Number(range[1]) : 0;
    const to = partial && range[2] ? Math.min(Number(range[2]) + 1, bytes.length) : bytes.length;
    const base = { ...extra, etag, "accept-ranges": "bytes", "content-type": "application/octet-stream" };
    if (from >= bytes.length && partial) {
      return new Response(null, { status: 416, headers: { ...base, "content-range": `bytes */${bytes.length}` } });
    }
    const headers = {
      ...base,
      "content-length": String(to - from),
      ...(partial ? { "content-range": `bytes ${from}-${to - 1}/${bytes.length}` } : {}),
    };
    const status = partial ? 206 : 200;
    if (request.method === "HEAD") return new Response(null, { status: 200, headers });
    const part = bytes.slice(from, to);
    if (fault?.type === "corrupt") part[part.length >> 1] = (part[part.length >> 1] ?? 0) ^ 1;
    const cut =
      fault?.type === "break" || fault?.type === "hang" ? Math.floor(fault.at * bytes.length) - from : part.length;
    return new Response(stream(part, Math.max(0, cut), fault?.type === "hang", request.signal), { status, headers });
  };

  const answer = async (request: Request): Promise<Response> => {
    const { method } = request;
    const url = new URL(request.url);
    if (method === "OPTIONS")
      return new Response(null, { status: 204, headers: { ...open, "access-control-allow-headers": "*" } });
    requests.push({
      method,
      url: request.url,
      range: request.headers.get("range"),
      ifRange: request.headers.get("if-range"),
    });
    if (result.offline) throw new TypeError("Failed to fetch");
    const site = sites?.get(url.href);
    const path = decodeURIComponent(url.pathname).slice(1);
    if (site) return send(site, `"${(await digest("SHA-256", site)).slice(0, 16)}"`, url.href, request, open);
    if (url.origin === store) {
      const [org, name, , ...rest] = path.split("/");
      const file = rest.join("/");
      const bytes = repositories.find(({ id }) => id === `${org}/${name}`)?.files.get(file);
      return bytes
        ? send(bytes, `"${await digest("SHA-256", bytes)}"`, file, request, open)
        : refuse(404, "EntryNotFound");
    }
    if (url.origin !== hub) return new Response("not here", { status: 404, headers: open });
    const api = /^api\/models\/([^/]+\/[^/]+)\/(revision|tree)\/([^/]+)(?:\/(.*))?$/.exec(path);
    const file = /^([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(path);
    const [, id = "", kind, revision = ""] = api ?? (file ? [path, file[1] ?? "", "resolve", file[2] ?? ""] : []);
    const repository = find(id, revision);
    if (repository instanceof Response) return repository;
    if (kind === "revision") return info(repository, url);
    if (kind === "tree") return tree(repository, api?.[4] ?? "", url);
    return resolve(repository, file?.[3] ?? "", request);
  };

  const handle = async (first: Request): Promise<Response> => {
    let request = first;
    for (let hops = 0; hops < 5; hops++) {
      request.signal.throwIfAborted();
      const response = await answer(request);
      const location = response.headers.get("location");
      if (response.status !== 302 || location === null) return response;
      request = new Request(location, { method: request.method, headers: request.headers, signal: request.signal });
    }
    throw new TypeError("too many redirects");
  };

  const result: FakeHub = {
    handle,
    requests,
    offline: false,
    faults,
    fetchFile: (input, init) => handle(new Request(input, init)),
  };
  return result;
}

async function treeEntry(path: string, bytes: Uint8Array<ArrayBuffer>, largeFrom: number) {
  const header = new TextEncoder().encode(`blob ${bytes.length}\0`);
  const oid = await digest("SHA-1", await new Blob([header, bytes]).arrayBuffer());
  const entry = { type: "file", oid, size: bytes.length, path };
  if (bytes.length < largeFrom) return { ...entry, lfs: undefined };
  return { ...entry, lfs: { oid: await digest("SHA-256", bytes), size: bytes.length, pointerSize: 134 } };
}

async function digest(algorithm: string, bytes: BufferSource): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest(algorithm, bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The first `cut` bytes in pieces, then the end, an error, or nothing more. */
function stream(
  bytes: Uint8Array<ArrayBuffer>,
  cut: number,
  hangs: boolean,
  signal: AbortSignal,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream({
    start(controller) {
      signal.addEventListener("abort", () => controller.error(signal.reason));
    },
    pull(controller) {
      if (at < Math.min(cut, bytes.length)) {
        const end = Math.min(at + chunkBytes, cut, bytes.length);
        controller.enqueue(bytes.slice(at, end));
        at = end;
        return undefined;
      }
      if (at >= bytes.length) controller.close();
      else if (!hangs) controller.error(new TypeError("network error"));
      else return new Promise<void>(() => undefined);
      return undefined;
    },
  });
}
