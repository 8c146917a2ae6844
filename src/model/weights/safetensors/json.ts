/** JSON of a hostile file: its depth and number of values are bounded before it is parsed, and no name may come twice. */
import { WeightsError } from "../../errors";

const maxDepth = 16;
/** Values and commas; 20,000 tensors of a header have about ten each. */
const maxMarks = 300_000;

/** Members of the JSON object in UTF-8 `bytes`. `what` is how messages call it. Throws `WeightsError`. */
export function parseMembers(bytes: Uint8Array<ArrayBuffer>, what: string): readonly [string, unknown][] {
  const members = countMembers(bytes, what);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new WeightsError(`${what} is not valid JSON; the file is damaged or not a safetensors file.`, {
      cause: error,
    });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new WeightsError(`${what} is not a JSON object; this is not a safetensors file.`);
  }
  const entries: [string, unknown][] = Object.entries(value);
  if (entries.length !== members) {
    throw new WeightsError(
      `${what} names something twice (${members} entries, ${entries.length} names); it is damaged.`,
    );
  }
  return entries;
}

/** Colons right inside the outer braces. Text that is no JSON is counted all the same; the parser refuses it. */
function countMembers(bytes: Uint8Array<ArrayBuffer>, what: string): number {
  let depth = 0;
  let marks = 0;
  let members = 0;
  let quoted = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (quoted) {
      if (byte === 0x5c) i += 1;
      else if (byte === 0x22) quoted = false;
      continue;
    }
    if (byte === 0x22) quoted = true;
    else if (byte === 0x3a && depth === 1) members += 1;
    else if (byte === 0x7d || byte === 0x5d) depth -= 1;
    else if (byte === 0x7b || byte === 0x5b || byte === 0x2c) {
      marks += 1;
      if (byte !== 0x2c) depth += 1;
      if (depth > maxDepth || marks > maxMarks) {
        throw new WeightsError(
          `${what} is nested ${depth} deep with over ${marks - 1} values, more than is read; the file is damaged or not a safetensors file.`,
        );
      }
    }
  }
  return members;
}
