/** The life of something that is fetched from the worker. */
import type { ErrorData, ProgressEvent } from "../../worker/protocol";

export type Load<T> =
  | { readonly state: "idle" }
  | { readonly state: "busy"; readonly progress: ProgressEvent | null }
  | { readonly state: "ready"; readonly value: T }
  | { readonly state: "failed"; readonly error: ErrorData };

export const idle = { state: "idle" } as const;
export const busy = { state: "busy", progress: null } as const;
