/** How much GPU memory a run may take: WebGPU does not say how much there is, so the user does. */
import type { Budget } from "./stores/picker";

const key = "tabtune-gpu-memory-gb";
/** Gigabytes of a machine that does not say. */
const usualMemory = 8;
const [least, most] = [0.1, 1000];

/** What the user typed last; else half of the machine's memory, which most GPUs share or match. */
export function firstBudget(deviceMemory: number | null): Budget {
  const usual = String((deviceMemory ?? usualMemory) / 2);
  const [kept, fallback] = [remembered(), gigabytes(usual)];
  const bytes = kept === null ? null : gigabytes(kept);
  if (kept !== null && bytes !== null) return { text: kept, bytes, error: null };
  return { text: usual, bytes: fallback ?? (usualMemory / 2) * 1e9, error: null };
}

/** Bytes; null for what is no number of gigabytes. */
export function gigabytes(text: string): number | null {
  const value = Number(text.trim().replace(",", "."));
  return text.trim() !== "" && value >= least && value <= most ? value * 1e9 : null;
}

/** Some browsers refuse storage to pages; the number is then asked for again. */
function remembered(): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function rememberBudget(text: string): void {
  try {
    localStorage.setItem(key, text.trim());
  } catch {
    // Nothing is lost but the convenience.
  }
}
