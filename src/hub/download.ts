/**
 * One file, byte for byte: a broken connection is taken up where it broke, and the hash covers all bytes, those of an
 * earlier visit too. Bytes go to the store as they come and are never all in memory.
 */
import { HubError } from "./errors";
import { type Hasher, hasherFor } from "./hash";
import { nextPiece, open, pause, type Subject, unreachable, type Web } from "./http";
import type { ProgressMeter } from "./progress";
import type { StoreWriter } from "./store";
import type { RemoteFile } from "./types";

/** Progress that makes up for the failures before it. */
const forgiven = 1_000_000;
const readBack = 4_000_000;
const maxBytes = 64_000_000_000;

export interface DownloadJob {
  readonly file: RemoteFile;
  readonly subject: Subject;
  readonly writer: StoreWriter;
  readonly meter: ProgressMeter;
  /** Of the bytes that `writer` holds already. */
  readonly etag: string | null;
  /** Told before the first byte that belongs to it. */
  readonly onEtag: (etag: string) => Promise<void>;
}

/**
 * Throws `HubError` where the file cannot be had, "damaged" where its size or hash is wrong (what was written is then
 * removed), and the store's own error where there is no room.
 */
export async function downloadFile(job: DownloadJob, web: Web): Promise<void> {
  const { file, writer, meter } = job;
  // Without a hash, only the server can say that earlier bytes are of the same file.
  const unknown = file.hash === null && job.etag === null;
  // Elsewhere a length may be that of compressed bytes: a page is not shown how those of another site are encoded.
  const size = job.subject.hub || file.hash !== null ? file.bytes : null;
  if (unknown || writer.size > (size ?? maxBytes)) await writer.truncate(0);
  const state: State = { job, web, size, hasher: newHasher(file), etag: job.etag, plain: false };
  await hashWhatIsHere(state);
  meter.begin(file.path, file.bytes, writer.size);
  let failures = 0;
  while (size === null || writer.size < size) {
    const before = writer.size;
    try {
      if (await attempt(state)) break;
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      failures = writer.size - before >= forgiven ? 1 : failures + 1;
      // A server may refuse the header that a resumed download adds where it would not refuse the download.
      state.plain = error.reason === "network";
      await pause(web, error, failures);
    }
  }
  await verify(state);
  meter.end();
}

interface State {
  readonly job: DownloadJob;
  readonly web: Web;
  /** What the whole file has for certain; null where nobody says so. */
  readonly size: number | null;
  hasher: Hasher | null;
  etag: string | null;
  /** Without If-Range. */
  plain: boolean;
}

const newHasher = ({ hash, bytes }: RemoteFile): Hasher | null =>
  hash === null || bytes === null ? null : hasherFor(hash, bytes);

/** True when the file is whole; false where it must be asked for again, from its first byte. */
async function attempt(state: State): Promise<boolean> {
  const { job, web, size } = state;
  const { file, writer, subject, meter } = job;
  const offset = writer.size;
  // The hub's copies refuse If-Range from a page (it needs a preflight), and a hash says more than it.
  const ifRange =
    offset > 0 && file.hash === null && !state.plain && state.etag !== null && !state.etag.startsWith("W/");
  const headers: Record<string, string> = {
    ...(offset > 0 ? { Range: `bytes=${offset}-` } : {}),
    ...(ifRange && state.etag !== null ? { "If-Range": state.etag } : {}),
  };
  // What is kept here need not lie in the browser's own cache as well.
  const response = await open(web, file.url, { headers, cache: "no-store" }, subject, offset > 0 ? [416] : []);
  const resumed = offset > 0 && response.status === 206 && continues(response, offset, state);
  if (offset > 0 && !resumed) {
    await restart(state);
    if (response.status !== 200) {
      await response.body?.cancel().catch(() => undefined);
      return false;
    }
  }
  const etag = response.headers.get("etag");
  if (!resumed && etag !== null && file.hash === null) {
    state.etag = etag;
    await job.onEtag(etag);
  }
  const expected = file.bytes ?? promisedBytes(response, writer.size);
  if (expected !== null) meter.size(expected);
  await receive(response, state);
  if (size !== null && writer.size < size) {
    throw unreachable(subject, new HubError("network", `the connection ended after ${writer.size} of ${size} bytes`));
  }
  return true;
}

/** Whether these are the bytes that follow: right place, same file. */
function continues(response: Response, offset: number, { job, etag }: State): boolean {
  const { bytes, hash } = job.file;
  const now = response.headers.get("etag");
  if (hash === null && etag !== null && now !== null && now !== etag) return false;
  const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "");
  // Servers need not let a page see this header; size and hash tell then.
  if (!range) return true;
  const [, from, , total] = range;
  return Number(from) === offset && (bytes === null || total === "*" || Number(total) === bytes);
}

/** Bytes of the whole file, for progress only; a compressed answer does not tell. */
function promisedBytes(response: Response, before: number): number | null {
  const length = response.headers.get("content-length");
  const encoding = response.headers.get("content-encoding");
  if (length === null || !/^\d+$/.test(length) || (encoding !== null && encoding !== "identity")) return null;
  return before + Number(length);
}

async function receive(response: Response, { job, web, size, hasher }: State): Promise<void> {
  const { writer, subject, meter } = job;
  const most = size ?? maxBytes;
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      web.signal?.throwIfAborted();
      const { done, value } = await nextPiece(reader, web, subject);
      if (done) return;
      if (writer.size + value.length > most) {
        await writer.truncate(0);
        throw new HubError(
          "damaged",
          size === null
            ? `${subject.what} of ${subject.model} has more than ${most} bytes, the most that is fetched; what came has been removed, choose a smaller model.`
            : `${subject.what} of ${subject.model} has more than the ${most} bytes it should have; what was fetched has been removed, look the model up again.`,
        );
      }
      await writer.write(value);
      hasher?.update(value);
      meter.add(value.length);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function restart(state: State): Promise<void> {
  await state.job.writer.truncate(0);
  state.hasher = newHasher(state.job.file);
  state.etag = null;
  state.job.meter.restart();
}

async function hashWhatIsHere({ job, web, hasher }: State): Promise<void> {
  const { writer, meter, file } = job;
  if (!hasher || writer.size === 0) return;
  meter.begin(file.path, file.bytes, 0, "checking");
  for (let at = 0; at < writer.size; ) {
    // Reads from disk do not end this turn; without an end no cancel comes through, and gigabytes take half a minute.
    await new Promise((resolve) => setTimeout(resolve));
    web.signal?.throwIfAborted();
    const bytes = await writer.read(at, readBack);
    if (bytes.length === 0) return;
    hasher.update(bytes);
    at += bytes.length;
    meter.checked(bytes.length);
  }
}

async function verify({ job, hasher }: State): Promise<void> {
  const { file, writer, subject } = job;
  const hex = hasher?.hex() ?? null;
  if (file.hash === null || hex === null || hex === file.hash.hex) return;
  await writer.truncate(0);
  throw new HubError(
    "damaged",
    `${subject.what} of ${subject.model} was damaged on its way (its hash is ${hex.slice(0, 12)}…, the hub gives ${file.hash.hex.slice(0, 12)}…) and has been deleted; download it again.`,
  );
}
