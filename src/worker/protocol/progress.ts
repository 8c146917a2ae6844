import type { DownloadProgress } from "../../hub/types";

/** How far a long call has come. */
export interface ProgressEvent {
  /** "reading weights", "compiling shaders", … */
  readonly phase: string;
  /** In one unit, bytes or steps; `total` 0: not known. */
  readonly done: number;
  readonly total: number;
  /** Rows found so far, while a dataset is read. */
  readonly rows?: number;
  /** While something is downloaded. */
  readonly download?: DownloadProgress;
}
