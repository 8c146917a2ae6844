// @ts-check
/** The sample datasets of public/datasets/: which there are, how a file's rows are read, and how an answer is scored. */

/**
 * @typedef {object} Sample
 * @property {string} name
 * @property {string} train File name in the folder of the datasets.
 * @property {string} heldOut
 * @property {"persona" | "labels" | "json"} kind
 * @property {number} maxNewTokens Of a greedy answer: somewhat more than the longest right one needs.
 */

/** @type {readonly Sample[]} */
export const samples = [
  { name: "pirate", train: "pirate.jsonl", heldOut: "pirate.eval.jsonl", kind: "persona", maxNewTokens: 40 },
  { name: "feelings", train: "feelings.csv", heldOut: "feelings.eval.csv", kind: "labels", maxNewTokens: 8 },
  { name: "orders", train: "orders.jsonl", heldOut: "orders.eval.jsonl", kind: "json", maxNewTokens: 40 },
];

/** A sample file has a row that is not in its form; `message` names file, line and remedy. */
export class SampleError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "SampleError";
  }
}

/** @typedef {{ prompt: string, answer: string }} Pair */

/**
 * A sample file's rows: JSON Lines with two messages each, or CSV with the columns text and label. Stricter than the
 * studio's reader, because these files are our own. Throws `SampleError`.
 * @param {string} text
 * @param {string} file
 * @returns {Pair[]}
 */
export function readPairs(text, file) {
  const lines = text.replace(/\n$/, "").split("\n");
  if (!file.endsWith(".csv")) return lines.map((line, idx) => chatPair(line, `${file} line ${idx + 1}`));
  const [head, ...rows] = lines.map((line, idx) => cells(line, `${file} line ${idx + 1}`));
  if (head?.join() !== "text,label")
    throw new SampleError(`${file} line 1: the columns are ${head?.join()}; name them text,label.`);
  return rows.map(([prompt = "", answer = "", ...rest], idx) => {
    if (prompt === "" || answer === "" || rest.length > 0)
      throw new SampleError(`${file} line ${idx + 2}: the row has not two cells; write a text and a label.`);
    return { prompt, answer };
  });
}

/**
 * @param {string} line
 * @param {string} place
 * @returns {Pair}
 */
function chatPair(line, place) {
  /** @type {unknown} */
  let row;
  try {
    row = JSON.parse(line);
  } catch {
    throw new SampleError(`${place}: the line is not valid JSON; write one object per line.`);
  }
  const messages = fieldOf(row, "messages");
  const [user, assistant] = Array.isArray(messages) && messages.length === 2 ? messages : [];
  const prompt = fieldOf(user, "content");
  const answer = fieldOf(assistant, "content");
  const roles = [fieldOf(user, "role"), fieldOf(assistant, "role")].join();
  if (roles !== "user,assistant" || typeof prompt !== "string" || typeof answer !== "string")
    throw new SampleError(
      `${place}: the messages are no question and answer; write one of the user, one of the assistant.`,
    );
  return { prompt, answer };
}

/**
 * @param {unknown} value
 * @param {string} key
 * @returns {unknown}
 */
function fieldOf(value, key) {
  return isObject(value) ? value[key] : undefined;
}

/**
 * @param {unknown} value
 * @returns {value is Readonly<Record<string, unknown>>}
 */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * One CSV record without line breaks in its cells, quoted as RFC 4180 says.
 * @param {string} line
 * @param {string} place
 */
function cells(line, place) {
  if (!/^("([^"]|"")*"|[^",]*)(,("([^"]|"")*"|[^",]*))*$/.test(line))
    throw new SampleError(
      `${place}: a quotation mark is out of place; quote the whole cell and double the marks in it.`,
    );
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "",
  );
}

/**
 * @param {string} text
 * @returns {Readonly<Record<string, unknown>> | null} null where the text is no JSON object.
 */
export function parseObject(text) {
  try {
    const value = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * The shares, 0 to 1, of answers that are right; `valid` (JSON samples) is the share that parses as an object with the
 * expected keys, whatever its values.
 * @param {Sample["kind"]} kind
 * @param {readonly { expected: string, given: string }[]} answers
 * @returns {{ valid: number | null, right: number } | null} null for a persona: manner has no right or wrong.
 */
export function scoreAnswers(kind, answers) {
  if (kind === "persona") return null;
  const share = (/** @type {(answer: { expected: string, given: string }) => boolean} */ test) =>
    answers.filter(test).length / answers.length;
  if (kind === "labels") return { valid: null, right: share(({ expected, given }) => given.trim() === expected) };
  return {
    valid: share(({ expected, given }) => keysOf(given) !== "" && keysOf(given) === keysOf(expected)),
    right: share(({ expected, given }) => canonical(given) !== null && canonical(given) === canonical(expected)),
  };
}

/** @param {string} text */
function keysOf(text) {
  return Object.keys(parseObject(text) ?? {})
    .sort()
    .join();
}

/**
 * The same text for objects that differ in the order of their keys alone.
 * @param {string} text
 */
function canonical(text) {
  const value = parseObject(text);
  return value && JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
