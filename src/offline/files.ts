/** Which requests the service worker answers, and which answers it may keep. */

export interface BuiltFile {
  /** Relative to the folder of the service worker: "assets/studio-1a2b.js". */
  readonly path: string;
  /** SHA-256 of its bytes, in hexadecimal digits. */
  readonly hash: string;
  /** When it is fetched: ahead of its use, once the embedded model was opened, or when first asked for. */
  readonly fetched: "install" | "model" | "use";
}

/** What of a request decides. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly mode: string;
  readonly cache: string;
  readonly range: string | null;
}

/** A file of this version; a hashed one of perhaps another; or none of our business, as anything on another origin. */
export type Decision =
  | { readonly kind: "file"; readonly file: BuiltFile }
  | { readonly kind: "other-version" }
  | { readonly kind: "leave" };

const leave: Decision = { kind: "leave" };
const page = "index.html";

/** `scope` is the address of the service worker's folder and ends with a slash. */
export function decide(
  { method, url, mode, cache, range }: Asked,
  files: readonly BuiltFile[],
  scope: string,
): Decision {
  // Part of a file is not the file, and what a request forbids to fetch is the browser's to find.
  if (method !== "GET" || range !== null || cache === "only-if-cached") return leave;
  if (!url.startsWith(scope)) return leave;
  const { origin, pathname, search } = new URL(url);
  // Links to the page carry what they like behind a question mark; of another file that may be another answer.
  if (search !== "" && mode !== "navigate") return leave;
  const path = `${origin}${pathname}`.slice(scope.length);
  const file = files.find((one) => encodeURI(one.path) === (path === "" ? page : path));
  if (file) return { kind: "file", file };
  return path.startsWith("assets/") ? { kind: "other-version" } : leave;
}

/** Where a file is fetched. Some hosts lead from index.html to its folder, so that is asked for at once. */
export const addressOf = ({ path }: BuiltFile, scope: string): string =>
  path === page ? scope : scope + encodeURI(path);

/** What the file is kept under: changed content is another entry, unchanged content is fetched once for all versions. */
export const keyOf = ({ path, hash }: BuiltFile, scope: string): string => `${scope}${encodeURI(path)}?sha256=${hash}`;

/** Whole, from our own origin, and not refused. */
export const isWhole = ({ status, type }: Pick<Response, "status" | "type">): boolean =>
  status === 200 && type === "basic";

/** Keys that no file of this version has. */
export function stale(keys: readonly string[], files: readonly BuiltFile[], scope: string): string[] {
  const current = new Set(files.map((file) => keyOf(file, scope)));
  return keys.filter((key) => !current.has(key));
}
