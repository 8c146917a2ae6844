/** The date as Python's `strftime` writes it in its C locale; chat templates put it into system messages. */

const english = (date: Date, options: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat("en-US", options).format(date);
const two = (value: number) => String(value).padStart(2, "0");

const parts: Readonly<Record<string, (date: Date) => string>> = {
  "%Y": (date) => String(date.getFullYear()),
  "%y": (date) => two(date.getFullYear() % 100),
  "%m": (date) => two(date.getMonth() + 1),
  "%d": (date) => two(date.getDate()),
  "%H": (date) => two(date.getHours()),
  "%I": (date) => two(date.getHours() % 12 || 12),
  "%p": (date) => (date.getHours() < 12 ? "AM" : "PM"),
  "%M": (date) => two(date.getMinutes()),
  "%S": (date) => two(date.getSeconds()),
  "%b": (date) => english(date, { month: "short" }),
  "%B": (date) => english(date, { month: "long" }),
  "%a": (date) => english(date, { weekday: "short" }),
  "%A": (date) => english(date, { weekday: "long" }),
  "%%": () => "%",
};

/** What it does not know stays as written. */
export function strftime(date: Date, format: string): string {
  return format.replace(/%[a-zA-Z%]/g, (part) => parts[part]?.(date) ?? part);
}
