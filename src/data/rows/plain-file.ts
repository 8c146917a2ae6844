/** A file as the formats want it: decompressed, in UTF-8, without byte order mark. */
import { DataError } from "../errors";
import { headBytes } from "../formats/types";
import { readSlice, unreadable } from "./bytes";
import type { DataFile, Spool, SpoolFile } from "./types";
import { type Utf16, Utf16Transcoder, utf16Of } from "./utf16";

export interface PlainFile {
  /** The name without `.gz`: what formats are chosen by. */
  readonly name: string;
  readonly blob: Blob;
  readonly head: Uint8Array<ArrayBuffer>;
  /** Where the bytes had to be written anew. */
  readonly spooled: SpoolFile | null;
}

export interface PlainJob {
  readonly spool: Spool;
  readonly maxBytes: number;
  /** Bytes of the file that are done; throws when the user stops. */
  readonly onBytes: (done: number) => Promise<void>;
  /** The beginning of a file that is written anew, long before its end. */
  readonly onStart: (start: Blob, name: string) => Promise<void>;
}

/** How much of a compressed file is shown before the rest is unpacked. */
const startBytes = 262_144;

/** Throws `DataError` for a file that cannot be read or decompressed, or that is too large decompressed. */
export async function plainFile(file: DataFile, job: PlainJob): Promise<PlainFile> {
  const head = await readSlice(file.blob, 0, Math.min(headBytes, file.blob.size), file.name);
  const gzip = head[0] === 0x1f && head[1] === 0x8b && head[2] === 8;
  const name = gzip ? file.name.replace(/\.gz$/i, "") : file.name;
  if (!gzip && utf16Of(head) === null)
    return { name, spooled: null, ...(await withoutMark(file.blob, file.name, head)) };
  const spooled = await job.spool.create();
  try {
    await write(file, gzip, name, spooled, job);
    const blob = await spooled.finish();
    return { name, spooled, ...(await withoutMark(blob, file.name, null)) };
  } catch (error) {
    await spooled.discard();
    throw error;
  }
}

/** Bytes of a UTF-8 byte order mark. */
export function markLength(head: Uint8Array): 0 | 3 {
  return head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0;
}

async function withoutMark(whole: Blob, name: string, known: Uint8Array<ArrayBuffer> | null) {
  const head = known ?? (await readSlice(whole, 0, Math.min(headBytes, whole.size), name));
  const mark = markLength(head);
  if (mark === 0) return { blob: whole, head };
  const blob = whole.slice(mark);
  // Read anew: whether a head is the whole file is seen by its length.
  return { blob, head: await readSlice(blob, 0, Math.min(headBytes, blob.size), name) };
}

async function write(file: DataFile, gzip: boolean, name: string, to: SpoolFile, job: PlainJob): Promise<void> {
  let done = 0;
  const counted = file.blob.stream().pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        done += chunk.length;
        controller.enqueue(chunk);
      },
    }),
  );
  const reader = (gzip ? counted.pipeThrough(new DecompressionStream("gzip")) : counted).getReader();
  const sink = new Sink(file, name, to, job);
  try {
    for (;;) {
      const chunk = await reader.read().catch((cause: unknown) => {
        throw readFailure(file.name, gzip, cause);
      });
      if (chunk.done) break;
      await sink.put(chunk.value);
      await job.onBytes(done);
    }
    await sink.finish();
  } finally {
    // Also reached in the middle: the stream must let go of the file.
    await reader.cancel().catch(() => undefined);
  }
}

function readFailure(file: string, gzip: boolean, cause: unknown): DataError {
  const gone = cause instanceof DOMException && cause.name !== "DataError";
  if (!gzip || gone) return unreadable(file, cause);
  const problem = "the file cannot be decompressed (it is damaged, cut off or made of several gzip parts)";
  return new DataError({ file, problem, remedy: "decompress it yourself and choose the result" }, { cause });
}

/** Writes to the spool, as UTF-8 whatever comes in. */
class Sink {
  readonly #file: DataFile;
  readonly #name: string;
  readonly #to: SpoolFile;
  readonly #job: PlainJob;
  /** Undefined until enough bytes have come to tell. */
  #transcoder: Utf16Transcoder | null | undefined;
  #first: Uint8Array<ArrayBuffer>[] = [];
  #start: Uint8Array<ArrayBuffer>[] | null = [];
  #written = 0;

  constructor(file: DataFile, name: string, to: SpoolFile, job: PlainJob) {
    this.#file = file;
    this.#name = name;
    this.#to = to;
    this.#job = job;
  }

  async put(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#transcoder !== undefined) return this.#write(this.#transcoder?.feed(bytes) ?? bytes);
    this.#first.push(bytes);
    if (this.#first.reduce((sum, { length }) => sum + length, 0) >= 1_024) await this.#begin();
  }

  async finish(): Promise<void> {
    if (this.#transcoder === undefined) await this.#begin();
    if (this.#transcoder) await this.#write(this.#transcoder.finish());
    await this.#show();
  }

  async #begin(): Promise<void> {
    const bytes = new Uint8Array(await new Blob(this.#first).arrayBuffer());
    this.#first = [];
    const encoding: Utf16 | null = utf16Of(bytes);
    this.#transcoder = encoding === null ? null : new Utf16Transcoder(encoding);
    await this.#write(this.#transcoder?.feed(bytes) ?? bytes);
  }

  async #write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (bytes.length === 0) return;
    this.#written += bytes.length;
    const { maxBytes } = this.#job;
    if (this.#written > maxBytes) {
      const problem = `decompressed, the file is larger than ${size(maxBytes)}`;
      throw new DataError({ file: this.#file.name, problem, remedy: "decompress it yourself and choose the result" });
    }
    await this.#to.write(bytes);
    if (this.#start === null) return;
    this.#start.push(bytes);
    if (this.#written >= startBytes) await this.#show();
  }

  async #show(): Promise<void> {
    const parts = this.#start;
    this.#start = null;
    if (parts !== null) await this.#job.onStart(new Blob(parts), this.#name);
  }
}

function size(bytes: number): string {
  for (const [unit, scale] of [
    ["GB", 2 ** 30],
    ["MB", 2 ** 20],
    ["KB", 2 ** 10],
  ] as const) {
    if (bytes >= scale) return `${Number((bytes / scale).toFixed(1))} ${unit}`;
  }
  return `${bytes} bytes`;
}
