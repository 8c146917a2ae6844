/** One request: what can go wrong in words, and another try where that may help. */
import { HubError, isPassing, reasonOf } from "./errors";
import { checkReach } from "./reach";

/** How the outside is reached. Tests give their own. */
export interface WebOptions {
  readonly fetchFile?: typeof fetch | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Resolves after so many milliseconds. */
  readonly wait?: ((milliseconds: number) => Promise<void>) | undefined;
  /** Milliseconds without a byte after which a connection counts as broken. */
  readonly stallAfter?: number | undefined;
}

export interface Web {
  readonly fetchFile: typeof fetch;
  readonly signal: AbortSignal | null;
  readonly wait: (milliseconds: number) => Promise<void>;
  readonly stallAfter: number;
  /** Tries after the first one. */
  readonly retries: number;
  /** Seconds. A server that asks for more is not asked again. */
  readonly longestWait: number;
}

export function webOf({ fetchFile, signal, wait, stallAfter }: WebOptions): Web {
  return {
    // A browser's fetch works only when called as a function of its own.
    fetchFile: fetchFile ?? ((input, init) => fetch(input, init)),
    signal: signal ?? null,
    wait: wait ?? ((milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))),
    stallAfter: stallAfter ?? 60_000,
    retries: 3,
    longestWait: 120,
  };
}

/** What is asked for, for messages. */
export interface Subject {
  /** "org/name" or an address. */
  readonly model: string;
  /** A path, or "the list of files". */
  readonly what: string;
  readonly hub: boolean;
}

/** A response that is ok, or one of the `allowed` statuses. Throws `HubError`, "elsewhere" for a host that is not asked, or the signal's reason when aborted. */
export async function open(
  web: Web,
  url: string,
  init: RequestInit,
  subject: Subject,
  allowed: readonly number[] = [],
): Promise<Response> {
  web.signal?.throwIfAborted();
  checkReach(url);
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(silent(web)), web.stallAfter);
  let response: Response;
  try {
    const signals = web.signal ? [web.signal, silence.signal] : [silence.signal];
    response = await web.fetchFile(url, { ...init, signal: AbortSignal.any(signals) });
  } catch (cause) {
    web.signal?.throwIfAborted();
    throw unreachable(subject, cause);
  } finally {
    clearTimeout(timer);
  }
  if (response.ok || allowed.includes(response.status)) return response;
  await response.body?.cancel().catch(() => undefined);
  throw refusal(response, subject);
}

/** Runs `work` again after 1, 2 and 4 seconds, or when the server says, while its failure is a passing one. */
export async function retrying<T>(web: Web, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      await pause(web, error, tries);
    }
  }
}

/** Waits before try number `tries` + 1, or throws `error` again where another try is pointless. */
export async function pause(web: Web, error: unknown, tries: number): Promise<void> {
  if (!isPassing(error) || tries > web.retries) throw error;
  const seconds = error.retryAfter ?? 2 ** (tries - 1);
  if (seconds > web.longestWait) throw error;
  const { signal } = web;
  let stop = (): void => undefined;
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
    signal?.addEventListener("abort", stop);
  });
  await Promise.race([web.wait(seconds * 1000), stopped]);
  signal?.removeEventListener("abort", stop);
  signal?.throwIfAborted();
}

/** The connection broke while `subject` was read, or was never made. */
export function unreachable({ model, what, hub }: Subject, cause: unknown): HubError {
  if (globalThis.navigator?.onLine === false) {
    return new HubError(
      "offline",
      `There is no connection, so ${what} of ${model} cannot be fetched; go online, or choose a model that is on this device.`,
      { cause },
    );
  }
  const remedy = hub
    ? "check the connection and try again; what has been fetched is kept"
    : "check the address and the connection; the server must also let other pages read it (CORS)";
  return new HubError("network", `${what} of ${model} could not be fetched (${reasonOf(cause)}); ${remedy}.`, {
    cause,
  });
}

function refusal(response: Response, { model, what, hub }: Subject): HubError {
  const { status } = response;
  const code = response.headers.get("x-error-code");
  if (code === "GatedRepo") return gated(model);
  if (status === 429) {
    const retryAfter = secondsOf(response.headers.get("retry-after"));
    const when = retryAfter === null ? "a few minutes" : `${Math.ceil(retryAfter)} seconds`;
    return new HubError("busy", `${what} of ${model} was asked for too often; try again in ${when}.`, { retryAfter });
  }
  if (status >= 500 || status === 408) {
    const retryAfter = secondsOf(response.headers.get("retry-after"));
    return new HubError(
      "server",
      `The server failed over ${what} of ${model} (HTTP status ${status}); try again later.`,
      { retryAfter },
    );
  }
  if (hub && status === 404 && code === "RevisionNotFound") {
    return new HubError("not-found", `${model} has no such revision; check the branch, tag or commit after the @.`);
  }
  if (hub && (status === 401 || (status === 404 && code === "RepoNotFound"))) {
    return new HubError(
      "not-found",
      `${model} does not exist on the hub or is private; check the name, or download its files yourself and drop the folder here.`,
    );
  }
  if (status === 404 || status === 410) {
    return new HubError("not-found", `${model} has no ${what} (HTTP status ${status}); check the address.`);
  }
  if (status === 401 || status === 403) {
    return new HubError(
      "refused",
      `Access to ${what} of ${model} is refused (HTTP status ${status}); download its files yourself and drop the folder here, or choose another model.`,
    );
  }
  return new HubError("server", `${what} of ${model} was answered with HTTP status ${status}; try again later.`);
}

/** `mirrors` are ungated copies. */
export function gated(model: string, mirrors: readonly string[] = []): HubError {
  const other =
    mirrors.length > 0 ? `choose the same model without that gate (${mirrors.join(" or ")})` : "choose another";
  return new HubError(
    "gated",
    `${model} is gated: its licence must be accepted at https://huggingface.co/${model} first; download the files there and drop the folder here, or ${other}.`,
  );
}

/** Seconds of a Retry-After header: a number or a date. */
function secondsOf(header: string | null): number | null {
  if (header === null) return null;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
}

const silent = ({ stallAfter }: Web): HubError =>
  new HubError("network", `no byte came for ${Math.round(stallAfter / 1000)} seconds`);

/** The next bytes; a connection that stays silent for too long counts as broken. */
export async function nextPiece(
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
  web: Web,
  subject: Subject,
): Promise<ReadableStreamReadResult<Uint8Array<ArrayBuffer>>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(silent(web)), web.stallAfter);
  });
  try {
    return await Promise.race([reader.read(), silence]);
  } catch (cause) {
    web.signal?.throwIfAborted();
    throw unreachable(subject, cause);
  } finally {
    clearTimeout(timer);
  }
}

/** The body as text. Throws `HubError` "damaged" where it has more than `maxBytes`. */
export async function readText(response: Response, maxBytes: number, web: Web, subject: Subject): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return "";
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await nextPiece(reader, web, subject).catch(async (error: unknown) => {
      void reader.cancel().catch(() => undefined);
      throw error;
    });
    if (done) return new TextDecoder().decode(await new Blob(pieces).arrayBuffer());
    size += value.length;
    if (size > maxBytes) {
      await reader.cancel().catch(() => undefined);
      throw new HubError(
        "damaged",
        `The answer to ${subject.what} of ${subject.model} has more than ${maxBytes} bytes; this is no answer of that kind.`,
      );
    }
    pieces.push(value);
  }
}
