/** Any value of a row as text for people: bounded, whatever the value is. */

/** Strings as they are, everything else as JSON; at most `length` characters and an ellipsis where some are left out. */
export function cellText(value: unknown, length: number): string {
  if (value === undefined || value === null) return "";
  return cut(typeof value === "string" ? value : json(value), length);
}

export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  // No half of a surrogate pair at the end.
  const end = /[\uD800-\uDBFF]/.test(text.charAt(length - 1)) ? length - 1 : length;
  return `${text.slice(0, end)}…`;
}

function json(value: unknown): string {
  try {
    // Parquet has integers beyond 2⁵³, which JSON has no word for.
    return (
      JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? part.toString() : part)) ?? String(value)
    );
  } catch {
    // Nested too deeply for the stack.
    return Array.isArray(value) ? `a list of ${value.length}` : "an object";
  }
}
