/** Numbers as people type them: 2e-4, 1/5000, 0,0002. */

export type ReadNumber =
  | { readonly value: number }
  /** What is wrong, to stand after "Rank is …"; null where it is no number at all. */
  | { readonly value: null; readonly why: "thousands" | "zero" | null };

const plain = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const longest = 40;

/** "1,000" may be a thousand or one: it is refused. "0,001" and "1,5" can only be decimals. */
export function readNumber(text: string): ReadNumber {
  const trimmed = text.trim().replace(/\u2212/g, "-");
  if (trimmed === "" || trimmed.length > longest) return { value: null, why: null };
  const parts = trimmed.split("/");
  if (parts.length > 2) return { value: null, why: null };
  const numbers: number[] = [];
  for (const part of parts) {
    const one = readDecimal(part.trim());
    if (one.value === null) return one;
    numbers.push(one.value);
  }
  const [above = Number.NaN, below = 1] = numbers;
  return below === 0 ? { value: null, why: "zero" } : { value: above / below };
}

function readDecimal(text: string): ReadNumber {
  if (/^[+-]?[1-9]\d{0,2}(,\d{3})+(\.|e|$)/i.test(text)) return { value: null, why: "thousands" };
  const value = text.split(",").length === 2 && !text.includes(".") ? text.replace(",", ".") : text;
  return plain.test(value) ? { value: Number(value) } : { value: null, why: null };
}
