/** The datasets that the worker has open: files are indexed once and rows looked at once, whoever asks again. */
import { type Dataset, openDataset, readingOf } from "../data/dataset";
import type { DataOptions } from "../data/options";
import { openRows } from "../data/rows/open-rows";
import { headRows, type RawRow, type RowSource } from "../data/rows/types";
import type { Reading } from "../data/survey/read-row";
import { type SurveyLimits, surveyLimits } from "../data/survey/survey";
import type { DataSource, ProgressEvent } from "./protocol";
import type { Reader } from "./reader";
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

interface Look {
  /** By everything that decides the tokens, the seed apart. */
  readonly key: string;
  readonly seed: number;
  readonly reader: Reader;
  readonly dataset: Dataset;
}

interface OpenFiles {
  /** Null where the files cannot be told from others. */
  readonly key: string | null;
  readonly source: RowSource;
  /** Latest last. */
  readonly looks: Look[];
  users: number;
}

export class DataSlot {
  /** Latest last. */
  readonly #files: OpenFiles[] = [];
  readonly #limits: SurveyLimits;
  /** How often a model was forgotten: a look that began before is not kept. */
  #forgotten = 0;

  constructor(limits: SurveyLimits = surveyLimits) {
    this.#limits = limits;
  }

  /** Throws `DataError`, `TokenizerError` for a template that cannot be parsed, and the signal's reason. */
  async open(
    reader: Reader,
    data: DataSource,
    settings: DataSettings,
    { onProgress, onHead }: DataListener,
    signal: AbortSignal,
  ): Promise<DataLease> {
    signal.throwIfAborted();
    const { options, name } = data;
    const reading = readingOf(reader.tokenizer, options, settings.maxLength, (ids) => unknownToken(ids, reader));
    const head = onHead && ((rows: readonly RawRow[]) => onHead(rows, reading));
    const files = await this.#open(data, onProgress, head, signal);
    try {
      const { seed } = settings;
      const key = lookKey(options, settings);
      const known = files.looks.find((look) => {
        return look.key === key && look.reader === reader && (look.seed === seed || isSeedless(look.dataset));
      });
      if (known) {
        keepLast(files.looks, known, keptLooks);
        return this.#lease(files, known.dataset);
      }
      const forgotten = this.#forgotten;
      const dataset = await openDataset(name, files.source, reading, {
        evalShare: options.evalShare,
        seed,
        limits: this.#limits,
        signal,
        onProgress: (done, total) => onProgress({ phase: `tokenizing ${name}`, done, total }),
      });
      if (forgotten === this.#forgotten) keepLast(files.looks, { key, seed, reader, dataset }, keptLooks);
      return this.#lease(files, dataset);
    } catch (error) {
      this.#release(files);
      throw error;
    }
  }

  /** Tokens of a model that is no longer open. */
  forgetModel(): void {
    this.#forgotten++;
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

/** What is skipped is no part of it: rows with problems give no tokens anyway. */
function lookKey({ mapping, template, lossOn, tooLong, evalShare }: DataOptions, { maxLength }: DataSettings): string {
  return JSON.stringify([mapping, template, lossOn, tooLong, evalShare, maxLength]);
}

/** The seed draws the sample, the held-out rows and the order of a stream, and nothing else. */
function isSeedless({ survey }: Dataset): boolean {
  return survey.exact && survey.split.heldOut === 0;
}
