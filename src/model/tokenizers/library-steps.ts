/**
 * Steps of a tokenizer.json written otherwise, so that the JavaScript library gives what the Rust library behind transformers
 * gives. Where both agree a step stays as it is.
 */

type Json = Readonly<Record<string, unknown>>;

/** Of byte-level BPE; the library's own takes JavaScript's idea of white space, which has U+FEFF and lacks U+0085. */
const gpt2Pattern = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const punctuation = "[\\p{P}!-/:-@\\[-`{-~]";

/** `json` is a whole tokenizer.json; anything in it may be of the wrong kind, which the library then finds. */
export function libraryJson(json: Json): Json {
  return {
    ...json,
    normalizer: map(json["normalizer"], "normalizers", literalContent),
    pre_tokenizer: map(json["pre_tokenizer"], "pretokenizers", preTokenizer),
    decoder: map(json["decoder"], "decoders", literalContent),
  };
}

/** A step, or each step of a sequence of them. */
function map(step: unknown, list: string, change: (step: Json) => Json): unknown {
  if (!isObject(step)) return step;
  const steps = step[list];
  if (step["type"] !== "Sequence" || !Array.isArray(steps)) return change(step);
  return { ...step, [list]: steps.map((each: unknown) => map(each, list, change)) };
}

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function preTokenizer(step: Json): Json {
  switch (step["type"]) {
    case "ByteLevel":
      return byteLevel(step);
    // The library knows ASCII digits only.
    case "Digits":
      return split(step["individual_digits"] === true ? "\\p{N}" : "\\p{N}+", "Isolated");
    // The library joins neighbours, whatever the behaviour.
    case "Punctuation":
      return split(punctuation, textOf(step["behavior"], "Isolated"));
    // The library knows ASCII letters only.
    case "Whitespace":
      return matches("\\w+|[^\\w\\s]+");
    case "WhitespaceSplit":
      return matches("\\S+");
    // The library leaves the words together.
    case "Metaspace":
      return step["split"] === false ? step : sequence(step, split(textOf(step["replacement"], "▁"), "MergedWithNext"));
    case "Split": {
      const pattern = patternOf(step["pattern"]);
      return pattern === null || step["invert"] === true ? step : split(pattern, textOf(step["behavior"], "Isolated"));
    }
    default:
      return step;
  }
}

function byteLevel(step: Json): Json {
  if (step["use_regex"] === false) return step;
  const bytes = { ...step, use_regex: false, add_prefix_space: false };
  if (step["add_prefix_space"] !== true) return sequence(split(gpt2Pattern, "Isolated"), bytes);
  // A part that has no space in front of it gets one.
  const prefix = { type: "Replace", pattern: { Regex: " (?![\\s\\S])| ?([\\s\\S]+)" }, content: " $1" };
  return sequence(prefix, split(gpt2Pattern, "Isolated"), bytes);
}

/** Behaviours that the library takes for "Isolated" become patterns that match the whole part. */
function split(pattern: string, behavior: string): Json {
  switch (behavior.toLowerCase()) {
    case "mergedwithprevious":
      return step(`[\\s\\S]*?(?:${pattern})`, "Isolated");
    case "mergedwithnext":
      return step(`(?:${pattern})(?:(?!${pattern})[\\s\\S])*`, "Isolated");
    case "contiguous":
      return step(`(?:${pattern})+`, "Isolated");
    default:
      return step(pattern, behavior);
  }
}

const step = (pattern: string, behavior: string): Json => ({
  type: "Split",
  pattern: { Regex: pattern },
  behavior,
  invert: false,
});

/** What matches stays, the rest goes. */
const matches = (pattern: string): Json => ({ ...step(pattern, "Removed"), invert: true });

const sequence = (...pretokenizers: readonly Json[]): Json => ({ type: "Sequence", pretokenizers });

const textOf = (value: unknown, otherwise: string): string => (typeof value === "string" ? value : otherwise);

/** As a regular expression; null where it is none. */
function patternOf(pattern: unknown): string | null {
  if (!isObject(pattern)) return null;
  const { Regex: regex, String: text } = pattern;
  if (typeof regex === "string") return regex;
  return typeof text === "string" ? text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") : null;
}

/** "$" in the content of a "Replace" step stands for itself. */
function literalContent(step: Json): Json {
  const content = step["content"];
  if (step["type"] !== "Replace" || typeof content !== "string") return step;
  return { ...step, content: content.replaceAll("$", "$$$$") };
}
