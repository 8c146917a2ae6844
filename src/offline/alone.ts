/** When the files of other versions are nobody's any more. */
import { addressOf, type BuiltFile } from "./files";

/** What a service worker sees around itself. */
export interface Around {
  readonly installing: unknown;
  readonly waiting: unknown;
  /** All of the origin, whether it rules them or not. */
  readonly windows: readonly { readonly id: string; readonly url: string }[];
  readonly scope: string;
}

/** A page that speaks up: its client's name, and the address of the script that it was started with. */
export interface Teller {
  readonly id: string;
  readonly script: string;
}

/**
 * Whether no window runs another version and none is on its way. `teller` is the page that asks, null when none does. A
 * script's name holds the hash of all that it imports, so a page that runs a script of `files` needs none but them.
 */
export function isAlone(
  { installing, waiting, windows, scope }: Around,
  files: readonly BuiltFile[],
  teller: Teller | null,
): boolean {
  if (installing !== null || waiting !== null) return false;
  const ours = teller !== null && files.some((file) => addressOf(file, scope) === teller.script);
  return windows.filter(({ url }) => url.startsWith(scope)).every(({ id }) => ours && id === teller.id);
}
