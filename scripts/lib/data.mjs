// @ts-check
/** The options that say what the data is and how it is read, and what a command says of its problems. */
import fs from "node:fs";
import path from "node:path";
import { CommandError } from "./errors.mjs";
import { existingFile, numberIn } from "./options.mjs";
import { importSource } from "./source.mjs";

/** @typedef {import("../../src/data/options").DataOptions} DataOptions */
/** @typedef {import("../../src/worker/protocol").DatasetInfo} DatasetInfo */
/** @typedef {NonNullable<import("../../src/worker/protocol").RunSummary["heldOut"]>} HeldOutRows */

/** A problem kind's rows that are shown; the page shows more. */
const shownRows = 5;

/**
 * The absolute paths of the files that a repeatable option names, or `fallback`.
 * @template {readonly string[] | null} F
 * @param {import("./options.mjs").Values} values
 * @param {string} option
 * @param {F} fallback
 */
export function filesInput(values, option, fallback) {
  const given = values[option];
  return Array.isArray(given) ? given.map((file) => existingFile(option, file)) : fallback;
}

/**
 * The options as the studio takes them. Throws `CommandError` (exit code 2). What a format or template is called is for the
 * studio to judge: it knows them all.
 * @param {import("./options.mjs").Values} values
 * @returns {Promise<DataOptions>}
 */
export async function dataOptions(values) {
  const { dataDefaults, lossChoices, tooLongPolicies } = await importSource("data/options");
  const { problemKinds } = await importSource("data/errors");
  const evalShare = numberIn(values, "eval-share", { initial: dataDefaults.evalShare, min: 0, max: 0.5, whole: false });
  if (evalShare > 0 && values["eval"] !== undefined) {
    throw new CommandError("--eval-share and --eval both say what is held out; give one of them.", 2);
  }
  const format = values["format"];
  return {
    ...dataDefaults,
    format: format === undefined ? dataDefaults.format : String(format),
    template: templateChoice(values["template"]),
    lossOn: oneOf(values, "loss-on", lossChoices, dataDefaults.lossOn),
    tooLong: oneOf(values, "too-long", tooLongPolicies, dataDefaults.tooLong),
    skip: values["skip-problems"] ? problemKinds : dataDefaults.skip,
    evalShare,
  };
}

/**
 * @template {string} T
 * @param {import("./options.mjs").Values} values
 * @param {string} name
 * @param {readonly T[]} allowed
 * @param {T} initial
 */
function oneOf(values, name, allowed, initial) {
  const value = values[name];
  if (value === undefined) return initial;
  const found = allowed.find((choice) => choice === value);
  if (found === undefined) {
    const others = `${allowed.slice(0, -1).join(", ")} or ${allowed.at(-1)}`;
    throw new CommandError(`--${name} is "${value}"; it must be ${others}.`, 2);
  }
  return found;
}

/**
 * A file where there is one or the name ends like one, the id of a built-in template otherwise.
 * @param {import("./options.mjs").Values[string] | undefined} value
 * @returns {DataOptions["template"]}
 */
function templateChoice(value) {
  if (value === undefined || value === "model") return { kind: "model" };
  const name = String(value);
  if (!/\.(jinja2?|txt)$/i.test(name) && !fs.existsSync(name)) return { kind: "named", id: name };
  return { kind: "own", jinja: fs.readFileSync(existingFile("template", name), "utf8") };
}

/**
 * What a person should know of the data before a run, a line each; nothing where all is well.
 * @param {Pick<DatasetInfo, "problems" | "rows" | "surveyedRows" | "exact" | "droppedRows" | "splitRows" | "templateWarning" | "notes" | "heldOutRows" | "sharedHeldOutRows">} info
 */
export function dataNotes(info) {
  const { problems, rows, surveyedRows, exact, droppedRows, splitRows, templateWarning, notes } = info;
  const { heldOutRows, sharedHeldOutRows } = info;
  const count = (/** @type {number} */ number) => number.toLocaleString("en");
  const lines = [];
  if (!exact)
    lines.push(`${count(rows)} rows are too many to look at: figures come from ${count(surveyedRows)} of them.`);
  if (templateWarning) lines.push(templateWarning);
  lines.push(...notes);
  for (const { kind, rows: bad, skipped, examples } of problems) {
    lines.push(`${count(bad)} ${bad === 1 ? "row" : "rows"} with the problem "${kind}"${skipped ? ", left out" : ""}:`);
    for (const { message } of examples.slice(0, shownRows)) lines.push(`  ${message}`);
    if (bad > shownRows) lines.push(`  … and ${count(bad - Math.min(shownRows, examples.length))} more`);
  }
  if (droppedRows > 0) lines.push(`${count(droppedRows)} rows are longer than --max-length and dropped.`);
  if (splitRows > 0) lines.push(`${count(splitRows)} rows are longer than --max-length and split.`);
  if (sharedHeldOutRows > 0) {
    const least = exact ? "" : "at least ";
    lines.push(
      `Of ${count(heldOutRows)} held-out rows, ${least}${count(sharedHeldOutRows)} are trained on as well, as equal rows: the held-out loss is too good.`,
    );
  }
  return lines;
}

/**
 * What the measuring of a run left out or cut, in one line; null where nothing.
 * @param {HeldOutRows} heldOut
 * @param {number} maxLength
 */
export function heldOutNote({ rows, truncatedRows, droppedRows, leftOutRows, sampled }, maxLength) {
  const count = (/** @type {number} */ number) => `${number.toLocaleString("en")} ${number === 1 ? "row" : "rows"}`;
  const lost = [
    truncatedRows > 0 ? `${count(truncatedRows)} cut to ${maxLength} tokens` : "",
    droppedRows > 0 ? `${count(droppedRows)} longer than ${maxLength} tokens and dropped` : "",
    leftOutRows > 0 ? `${count(leftOutRows)} with problems and left out` : "",
  ].filter((part) => part !== "");
  if (lost.length === 0) return null;
  return `Held-out data${sampled ? ", a sample" : ""}: ${lost.join(", ")}; ${count(rows)} measured.`;
}

/**
 * How a run folder and a summary name the data.
 * @param {readonly string[]} files
 */
export function dataName(files) {
  return path.parse((files[0] ?? "data").replace(/\.gz$/i, "")).name;
}
