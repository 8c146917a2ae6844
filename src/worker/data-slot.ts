/** The datasets that the worker has open: files are indexed once and rows looked at once, whoever asks again. */
import { type Dataset, openDataset, readingOf } from "../data/dataset";
import type { DataOptions } from "../data/options";
import { openRows } from "../data/rows/open-rows";
import { headRows, type RawRow, type RowSource } from "../data/rows/types";
import type { Reading } from "../data/survey/read-row";
import { surveyLimits } from "../data/survey/survey";
import type { OpenModel } from "./model-slot";
import type { DataSource, ProgressEvent } from "./protocol";
import { indexCache } from "./storage/index-cache";
import { diskSpool } from "./storage/spool";
import { unknownToken } from "./tokens";

/** Indexed files that stay although nobody uses them: training data and held-out data take turns. */
const idleFiles = 2;
/** Looks at the same files that stay: the page goes back and forth between settings. */
const keptLooks = 2;

/** One dataset in use. The files and tokens behind it stay until `release`. */
export interface DataLease {
  readonly dataset: Dataset;
  release(): void;
}

export interface DataSettings {
  readonly maxLength: number;
  readonly seed: number;
}

export interface DataListener {
  readonly onProgress: (progress: ProgressEvent) => void;
  /** The first rows, before the rest is read. */
  readonly onHead?: (rows: readonly RawRow[], reading: Reading) => void;
}

interface OpenFiles {
  /** Null where the files cannot be told from others. */
  readonly key: string | null;
  readonly source: RowSource;
  /** By everything that decides the tokens, latest last. */
  readonly looks: { readonly key: string; readonly model: OpenModel; readonly dataset: Dataset }[];
  users: number;
}

export class DataSlot {
  /** Latest last. */
  readonly #files: OpenFiles[] = [];

  /** Throws `DataError`, `TokenizerError` for a template that cannot be parsed, and the signal's reason. */
  async open(
    model: OpenModel,
    data: DataSource,
    settings: DataSettings,
    { onProgress, onHead }: DataListener,
    signal: AbortSignal,
  ): Promise<DataLease> {
    signal.throwIfAborted();
    const { options, name } = data;
    const reading = readingOf(model.tokenizer, options, settings.maxLength, (ids) => unknownToken(ids, model));
    const head = onHead && ((rows: readonly RawRow[]) => onHead(rows, reading));
    const files = await this.#open(data, onProgress, head, signal);
    try {
      const key = lookKey(files.source, options, settings);
      let look = files.looks.find((known) => known.key === key && known.model === model);
      if (!look) {
        const { evalShare } = options;
        const dataset = await openDataset(name, files.source, reading, {
          evalShare,
          seed: settings.seed,
          signal,
          onProgress: (done, total) => onProgress({ phase: `tokenizing ${name}`, done, total }),
        });
        look = { key, model, dataset };
      }
      keepLast(files.looks, look, keptLooks);
      return this.#lease(files, look.dataset);
    } catch (error) {
      this.#release(files);
      throw error;
    }
  }

  /** Tokens of a model that is no longer open. */
  forgetModel(): void {
    for (const { looks } of this.#files) looks.length = 0;
  }

  #lease(files: OpenFiles, dataset: Dataset): DataLease {
    let held = true;
    return {
      dataset,
      release: () => {
        if (held) this.#release(files);
        held = false;
      },
    };
  }

  #release(files: OpenFiles): void {
    files.users--;
    const idle = this.#files.filter(({ users }) => users === 0);
    const unknowable = idle.filter(({ key }) => key === null);
    const known = idle.filter(({ key }) => key !== null);
    for (const old of [...unknowable, ...known.slice(0, Math.max(0, known.length - idleFiles))]) {
      this.#files.splice(this.#files.indexOf(old), 1);
      void old.source.close();
    }
  }

  /** Counts the caller as a user. */
  async #open(
    { name, files, options }: DataSource,
    onProgress: DataListener["onProgress"],
    onHead: ((rows: readonly RawRow[]) => void) | undefined,
    signal: AbortSignal,
  ): Promise<OpenFiles> {
    const key = filesKey(files, options.format);
    const known = key === null ? undefined : this.#files.find((open) => open.key === key);
    if (known) {
      known.users++;
      keepLast(this.#files, known, Number.POSITIVE_INFINITY);
      try {
        const first = Array.from({ length: Math.min(headRows, known.source.rows) }, (_, row) => row);
        onHead?.(await known.source.read(first));
        return known;
      } catch (error) {
        this.#release(known);
        throw error;
      }
    }
    const source = await openRows(files, {
      format: options.format,
      spool: diskSpool,
      cache: indexCache,
      signal,
      onProgress: (done, total, rows) => onProgress({ phase: `reading ${name}`, done, total, rows }),
      ...(onHead ? { onHead } : {}),
    });
    const opened: OpenFiles = { key, source, looks: [], users: 1 };
    this.#files.push(opened);
    return opened;
  }
}

/** Puts an entry last, and drops the first ones beyond `most`. */
function keepLast<T>(entries: T[], entry: T, most: number): void {
  const at = entries.indexOf(entry);
  if (at >= 0) entries.splice(at, 1);
  entries.push(entry);
  if (entries.length > most) entries.splice(0, entries.length - most);
}

/** By what the browser says of the files, since a posted file is a new object each time. Null for data without a date. */
function filesKey(files: DataSource["files"], format: string | null): string | null {
  const facts: unknown[] = [format];
  for (const { name, blob } of files) {
    if (!(blob instanceof File)) return null;
    facts.push([name, blob.size, blob.lastModified]);
  }
  return JSON.stringify(facts);
}

/** What is skipped is no part of it: rows with problems give no tokens anyway. The seed decides samples and held-out rows. */
function lookKey(source: RowSource, options: DataOptions, { maxLength, seed }: DataSettings): string {
  const { mapping, template, lossOn, tooLong, evalShare } = options;
  const seeded = evalShare > 0 || source.bytes > surveyLimits.bytes;
  return JSON.stringify([mapping, template, lossOn, tooLong, evalShare, maxLength, seeded ? seed : null]);
}
