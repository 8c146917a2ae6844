/**
 * Rows that were tokenized elsewhere: {"input_ids", "labels", "attention_mask"}, as TRL and Axolotl read them, with TRL's
 * `completion_mask` and `assistant_masks`. Last in rank: where a row has its text, too, the text is surer than ids that may be
 * another tokenizer's.
 */
import { DataError, excerpt } from "../errors";
import type { Conversation, RowOrigin } from "../types";
import { blank, fromCell } from "./lib/fields";
import type { Row, RowShape } from "./types";

const ignored = -100;
const idLimit = 2 ** 31;
/** TRL's: 1 where the token is of the completion, of an answer. A token is learned where all that are there say so. */
const lossMasks = ["completion_mask", "assistant_masks"] as const;

export const shape: RowShape = {
  id: "tokens",
  label: "Token ids",
  rank: 90,
  fields: [
    { name: "input_ids", label: "Token ids", required: true, aliases: ["ids", "token_ids", "tokens"] },
    { name: "labels", label: "Labels (-100: no loss)", required: false, aliases: ["label_ids"] },
    { name: "attention_mask", label: "Attention mask", required: false, aliases: [] },
    { name: "completion_mask", label: "Completion mask (1: loss)", required: false, aliases: [] },
    { name: "assistant_masks", label: "Assistant mask (1: loss)", required: false, aliases: ["assistant_mask"] },
  ],
  convert,
};

function convert(row: Row, origin: RowOrigin): Conversation {
  refusePacked(row, origin);
  const all = readList(row["input_ids"], "input_ids", origin);
  for (const [index, id] of all.entries()) {
    if (isId(id)) continue;
    throw wrong(`input_ids[${index}]`, id, `use whole numbers from 0 to ${idLimit - 1}`, origin);
  }
  const given = !blank(row["labels"]) ? readList(row["labels"], "labels", origin, all.length) : all;
  for (const [index, label] of given.entries()) {
    if (label === ignored || label === all[index]) continue;
    throw wrong(`labels[${index}]`, label, `use ${ignored} or the token's own id, ${all[index]}`, origin);
  }
  const targets = masked(given, row, origin);
  const [start, end] = attended(row, all.length, origin);
  if (given !== all) needPaddingIgnored(targets, start, end, origin);
  const ids = all.slice(start, end);
  const labels = targets.slice(start, end);
  // Nothing precedes the first token, so nothing predicts it.
  if (labels.every((label, index) => index === 0 || label === ignored)) {
    throw new DataError({
      ...origin,
      kind: "no-answer",
      field: ["labels", ...lossMasks].find((field) => !blank(row[field])) ?? "input_ids",
      problem: "no token after the first is to be learned",
      remedy: `give a token its own id in labels (${ignored} leaves it out) and 1 in every mask, or leave the row out`,
    });
  }
  return { kind: "tokens", origin, ids, labels };
}

/** The labels, ignored where a mask of the row is 0. */
function masked(labels: readonly number[], row: Row, origin: RowOrigin): readonly number[] {
  let result = labels;
  for (const field of lossMasks) {
    if (blank(row[field])) continue;
    const mask = readList(row[field], field, origin, labels.length);
    const odd = mask.findIndex((value) => value !== 0 && value !== 1);
    if (odd !== -1)
      throw wrong(`${field}[${odd}]`, mask[odd], "use 1 where the token is learned and 0 elsewhere", origin);
    result = result.map((label, index) => (mask[index] === 1 ? label : ignored));
  }
  return result;
}

/** Padding on either side is no part of the row: the tokens that the mask keeps lie in [start, end). */
function attended(row: Row, length: number, origin: RowOrigin): readonly [start: number, end: number] {
  if (blank(row["attention_mask"])) return [0, length];
  const mask = readList(row["attention_mask"], "attention_mask", origin, length).map(Number);
  const start = Math.max(0, mask.indexOf(1));
  const end = mask.lastIndexOf(1) + 1;
  for (const [index, value] of mask.entries()) {
    if (value === 1 || (value === 0 && (index < start || index >= end))) continue;
    const remedy = "use 1 for the row's tokens and 0 only for padding before or after them";
    throw wrong(`attention_mask[${index}]`, value, remedy, origin);
  }
  return [start, end];
}

function needPaddingIgnored(labels: readonly number[], start: number, end: number, origin: RowOrigin): void {
  const index = labels.findIndex((label, place) => label !== ignored && (place < start || place >= end));
  if (index === -1) return;
  const remedy = `make the label ${ignored} or the mask 1`;
  throw new DataError({
    ...origin,
    field: `labels[${index}]`,
    problem: `it is ${labels[index]} where attention_mask is 0`,
    remedy,
  });
}

/** Numbers, not checked further; booleans (a mask) as 0 and 1. */
function readList(value: unknown, field: string, origin: RowOrigin, length?: number): number[] {
  const list = fromCell(value, field, origin);
  if (!Array.isArray(list)) throw wrong(field, list, "make it a list of whole numbers", origin);
  if (list.length === 0) throw wrong(field, list, "fill it in or leave the row out", origin);
  if (length !== undefined && list.length !== length) {
    throw wrong(field, list, `make it as long as input_ids, ${length}`, origin);
  }
  return list.map((item: unknown, index) => {
    if (typeof item === "number" || typeof item === "boolean") return Number(item);
    throw wrong(`${field}[${index}]`, item, "make it a list of whole numbers", origin);
  });
}

/** Rows packed elsewhere hold several documents, which would attend to one another here. */
function refusePacked(row: Row, origin: RowOrigin): void {
  const lengths = row["seq_lengths"];
  const positions = row["position_ids"];
  const isPacked =
    (Array.isArray(lengths) && lengths.length > 1) ||
    (Array.isArray(positions) && positions.lastIndexOf(0) > positions.indexOf(0));
  if (!isPacked) return;
  throw new DataError({
    ...origin,
    kind: "shape",
    field: Array.isArray(lengths) ? "seq_lengths" : "position_ids",
    problem: "the row holds several packed documents",
    remedy: "give each text a row of its own: rows are packed again for training",
  });
}

function isId(id: number): boolean {
  return Number.isInteger(id) && id >= 0 && id < idLimit;
}

function wrong(field: string, value: unknown, remedy: string, origin: RowOrigin): DataError {
  const kind = Array.isArray(value) && value.length === 0 ? "empty" : "field";
  return new DataError({ ...origin, kind, field, problem: `it is ${excerpt(value)}`, remedy });
}
