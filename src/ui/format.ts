/** Numbers as the page writes them. All of them are meant for tabular figures. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export const count = (value: number): string => whole.format(value);

export const decimal = (value: number, digits: number): string =>
  Number.isFinite(value) ? value.toFixed(digits) : "–";

export const percent = (share: number): string => `${(100 * share).toFixed(share === 1 ? 0 : 1)} %`;

/** "2.0e-4" and "0.0034": as people write learning rates. */
export function rate(value: number): string {
  if (value === 0) return "0";
  return value < 1e-3 ? value.toExponential(1) : value.toPrecision(2);
}

export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let scaled = value;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${unit === 0 || scaled >= 99.95 ? scaled.toFixed(0) : scaled.toFixed(1)} ${units[unit] ?? ""}`;
}

/** 1_234_567 → "1.2 M". */
export function short(value: number): string {
  if (value >= 999.5e6) return `${(value / 1e9).toFixed(1)} B`;
  if (value >= 999.5e3) return `${(value / 1e6).toFixed(1)} M`;
  if (value >= 999.5) return `${(value / 1e3).toFixed(0)} k`;
  return whole.format(value);
}

/** Milliseconds as "7 s", "2:05" or "1:02:05". */
export function duration(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return "–";
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const two = (value: number): string => String(value).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

const day = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });

export const date = (iso: string): string => {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? iso : day.format(time);
};
