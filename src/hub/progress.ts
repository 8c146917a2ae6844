/** How far a download of several files is, how fast it goes and how long it will take. */
import type { DownloadProgress } from "./types";

/** Milliseconds between two events of one file. */
const interval = 100;
/** Seconds over which the speed is smoothed. */
const smoothing = 3;

export interface ProgressMeter {
  /** Another file, or another stage of it, of which some bytes are here already; "downloading" where no stage is given. */
  begin(file: string, bytes: number | null, done: number, stage?: DownloadProgress["stage"]): void;
  /** Bytes that were here already. */
  checked(bytes: number): void;
  /** Its size, where only its download tells. */
  size(bytes: number): void;
  add(bytes: number): void;
  /** The file starts again from its first byte. */
  restart(): void;
  /** The file is whole. */
  end(): void;
}

/** `now` gives milliseconds. */
export function progressMeter(
  sizes: ReadonlyMap<string, number | null>,
  onProgress: (progress: DownloadProgress) => void,
  now: () => number = () => performance.now(),
): ProgressMeter {
  const known = new Map(sizes);
  const done = new Map<string, number>();
  let file = "";
  let stage: DownloadProgress["stage"] = "downloading";
  let fetched = 0;
  let counted = 0;
  let last = now();
  let sent = Number.NEGATIVE_INFINITY;
  // An average that has seen little so far leans towards 0; the weight it has seen is divided out.
  let speed = 0;
  let weight = 0;

  const emit = (force: boolean): void => {
    const time = now();
    if (!force && time - sent < interval) return;
    sent = time;
    // Checking is no time of the download.
    if (stage === "checking") last = time;
    const seconds = (time - last) / 1000;
    if (seconds >= interval / 1000) {
      const share = 1 - Math.exp(-seconds / smoothing);
      speed += share * ((fetched - counted) / seconds - speed);
      weight += share * (1 - weight);
      counted = fetched;
      last = time;
    }
    const total = sum(known.values());
    const all = sum(done.values()) ?? 0;
    const bytesPerSecond = weight > 0 && stage === "downloading" ? speed / weight : null;
    onProgress({
      stage,
      file,
      fileBytes: known.get(file) ?? null,
      fileDone: done.get(file) ?? 0,
      done: all,
      total,
      bytesPerSecond,
      secondsLeft: total === null || !bytesPerSecond ? null : Math.max(0, total - all) / bytesPerSecond,
    });
  };

  return {
    begin(path, bytes, already, next = "downloading") {
      file = path;
      stage = next;
      if (bytes !== null) known.set(path, bytes);
      done.set(path, already);
      emit(true);
    },
    size(bytes) {
      known.set(file, bytes);
    },
    checked(bytes) {
      done.set(file, (done.get(file) ?? 0) + bytes);
      emit(false);
    },
    add(bytes) {
      fetched += bytes;
      const all = (done.get(file) ?? 0) + bytes;
      done.set(file, all);
      // What was said to be the size was not.
      if (all > (known.get(file) ?? all)) known.set(file, null);
      emit(false);
    },
    restart() {
      done.set(file, 0);
      emit(true);
    },
    end() {
      known.set(file, done.get(file) ?? 0);
      emit(true);
    },
  };
}

/** Null where one of them is not known. */
function sum(values: Iterable<number | null>): number | null {
  let total = 0;
  for (const value of values) {
    if (value === null) return null;
    total += value;
  }
  return total;
}
