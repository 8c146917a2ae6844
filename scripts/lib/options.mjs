// @ts-check
/** The commands' options: one table for parsing, for the usage text and for naming recipe fields in messages. */
import fs from "node:fs";
import path from "node:path";
import util from "node:util";
import { CommandError } from "./errors.mjs";

/**
 * @typedef {object} Option
 * @property {"text" | "texts" | "number" | "flag"} type "texts" may be given several times.
 * @property {string} value How the usage names the value; "" for a flag.
 * @property {string} help
 * @property {string} [field] The recipe field that it sets.
 * @property {boolean} [sets] What a flag sets its field to; true where absent.
 * @property {string} [initial] The default, as the usage shows it.
 * @property {boolean} [hidden] Left out of the usage.
 */

/** @typedef {Readonly<Record<string, Option>>} OptionTable */
/** @typedef {Readonly<Record<string, string | number | boolean | readonly string[]>>} Values */

/** @type {OptionTable} */
const model = {
  model: { type: "text", value: "DIR", help: "model folder or .gguf file; the embedded tabtune-tiny where absent" },
};
/** @type {OptionTable} */
const json = { json: { type: "flag", value: "", help: "one JSON object as the last line of stdout" } };
/** @type {OptionTable} */
const adapter = { adapter: { type: "text", value: "DIR", help: "a PEFT LoRA adapter to put on the model" } };

/** @type {OptionTable} */
const reading = {
  format: { type: "text", value: "NAME", help: "jsonl, json, csv, parquet, text or yaml; found out where absent" },
  template: {
    type: "text",
    value: "NAME|FILE",
    help: "chat template: a built-in one or a Jinja file; the model's own where absent",
  },
  "loss-on": {
    type: "text",
    value: "WHAT",
    help: "tokens to learn: assistant, last, completion or all",
    initial: "assistant",
  },
  "too-long": {
    type: "text",
    value: "POLICY",
    help: "rows beyond --max-length: truncate-right, truncate-left, drop, split or error",
    initial: "truncate-right",
  },
  "skip-problems": {
    type: "flag",
    value: "",
    help: "leave out rows that cannot be used, in place of refusing the data",
  },
};

/** @type {OptionTable} */
export const finetuneOptions = {
  data: { type: "texts", value: "FILE", help: "dataset, may be given several times; the sample dataset where absent" },
  ...reading,
  ...model,
  out: { type: "text", value: "DIR", help: "where the adapter goes; a fresh folder in out/ where absent" },
  "init-adapter": { type: "text", value: "DIR", help: "PEFT adapter to start from" },
  rank: { type: "number", value: "N", help: "LoRA rank r", field: "rank", initial: "8" },
  alpha: {
    type: "number",
    value: "N",
    help: "LoRA alpha; the update is scaled by alpha/r",
    field: "alpha",
    initial: "16",
  },
  targets: {
    type: "text",
    value: "LIST",
    help: "q_proj,v_proj,… or all-linear",
    field: "targetModules",
    initial: "all-linear",
  },
  rslora: { type: "flag", value: "", help: "scale by alpha/sqrt(r)", field: "rslora" },
  "gradient-checkpointing": {
    type: "flag",
    value: "",
    help: "recompute activations: less memory, about a quarter slower",
    field: "gradientCheckpointing",
  },
  dropout: { type: "number", value: "P", help: "dropout before A", field: "dropout", initial: "0" },
  lr: {
    type: "number",
    value: "N",
    help: "learning rate; follows the model's width where absent",
    field: "learningRate",
  },
  schedule: {
    type: "text",
    value: "NAME",
    help: "constant, linear or cosine",
    field: "schedule",
    initial: "cosine",
  },
  "warmup-steps": { type: "number", value: "N", help: "steps of linear warm-up", field: "warmupSteps", initial: "0" },
  steps: { type: "number", value: "N", help: "optimizer steps, in place of --epochs", field: "steps" },
  epochs: { type: "number", value: "N", help: "passes over the data", field: "epochs", initial: "3" },
  "batch-size": { type: "number", value: "N", help: "rows per micro-batch", field: "batchSize", initial: "1" },
  "grad-accum": {
    type: "number",
    value: "N",
    help: "micro-batches per optimizer step",
    field: "gradientAccumulation",
    initial: "1",
  },
  "max-length": {
    type: "number",
    value: "N",
    help: "tokens per row; where absent what the longest row needs, from 128 to 512",
    field: "maxLength",
  },
  "weight-decay": { type: "number", value: "N", help: "AdamW weight decay", field: "weightDecay", initial: "0" },
  clip: { type: "number", value: "N", help: "largest gradient norm; 0 is off", field: "clip", initial: "1" },
  seed: { type: "number", value: "N", help: "seed of everything random", field: "seed", initial: "42" },
  "no-shuffle": { type: "flag", value: "", help: "keep the rows in file order", field: "shuffle", sets: false },
  "no-pack": { type: "flag", value: "", help: "one example per row", field: "pack", sets: false },
  eval: { type: "texts", value: "FILE", help: "held-out data, measured before and after; may be given several times" },
  "eval-share": {
    type: "number",
    value: "P",
    help: "share of the rows to hold out, up to 0.5, chosen by --seed",
    initial: "0",
  },
  ...json,
  probe: { type: "text", value: "FILE", help: "token ids and the tuned model's logits, for checks", hidden: true },
};

/** @type {OptionTable} */
export const generateOptions = {
  prompt: { type: "text", value: "TEXT", help: "what to answer or, for a model without a chat template, to continue" },
  ...model,
  ...adapter,
  "max-new-tokens": { type: "number", value: "N", help: "longest answer", initial: "128" },
  temperature: { type: "number", value: "N", help: "0 takes the likeliest token", initial: "0" },
  seed: { type: "number", value: "N", help: "seed of the sampling", initial: "42" },
};

/** @type {OptionTable} */
export const evaluateOptions = {
  data: {
    type: "texts",
    value: "FILE",
    help: "dataset, may be given several times; the sample's held-out file where absent",
  },
  ...reading,
  ...model,
  ...adapter,
  "max-length": { type: "number", value: "N", help: "tokens per row; 512 or the model's limit where absent" },
  ...json,
};

/**
 * The usage text.
 * @param {string} command
 * @param {string} summary
 * @param {OptionTable} table
 */
export function usage(command, summary, table) {
  const rows = Object.entries(table)
    .filter(([, option]) => !option.hidden)
    .map(([name, { value, help, initial }]) => ({
      left: `  --${name}${value === "" ? "" : ` ${value}`}`,
      right: initial === undefined ? help : `${help} (${initial})`,
    }));
  const width = Math.max(...rows.map(({ left }) => left.length)) + 2;
  const lines = rows.map(({ left, right }) => left.padEnd(width) + right);
  return `${summary}\n\nUsage: npm run ${command} -- [options]\n\n${lines.join("\n")}\n`;
}

/**
 * The arguments as values by option name. Throws `CommandError` (exit code 2) for an unknown option, a missing value
 * or something that is not a number. `--help` gives null.
 * @param {readonly string[]} args
 * @param {OptionTable} table
 * @returns {Values | null}
 */
export function parseOptions(args, table) {
  /** @type {Record<string, { type: "string" | "boolean", short?: string, multiple?: boolean }>} */
  const options = { help: { type: "boolean", short: "h" } };
  for (const [name, { type }] of Object.entries(table))
    options[name] = { type: type === "flag" ? "boolean" : "string", multiple: type === "texts" };
  /** @type {Record<string, unknown>} */
  let given;
  try {
    given = util.parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new CommandError(argumentError(/** @type {Error & { code?: string }} */ (error)), 2);
  }
  if (given["help"]) return null;
  /** @type {Record<string, string | number | boolean | readonly string[]>} */
  const values = {};
  for (const [name, value] of Object.entries(given)) {
    values[name] =
      table[name]?.type === "number"
        ? toNumber(name, String(value))
        : /** @type {string | boolean | string[]} */ (value);
  }
  return values;
}

/** @param {Error & { code?: string }} error One that util.parseArgs throws. */
function argumentError(error) {
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? "";
  if (error.code === "ERR_PARSE_ARGS_UNKNOWN_OPTION")
    return `The option ${quoted} is unknown; --help lists the options.`;
  if (error.code === "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL") {
    return `The argument "${quoted}" belongs to no option; --help lists the options.`;
  }
  // parseArgs writes '--lr <value>' or '-h, --help'.
  const name = /--[a-z-]+/.exec(quoted)?.[0] ?? quoted;
  if (/does not take/.test(error.message)) return `${name} takes no value.`;
  return `${name} needs a value; one that starts with a dash is written ${name}=-1.`;
}

/**
 * @param {string} name
 * @param {string} text
 */
function toNumber(name, text) {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim())) {
    throw new CommandError(`--${name} is "${text}"; it must be a number.`, 2);
  }
  return Number(text);
}

/**
 * The recipe fields that the arguments set.
 * @param {Values} values
 * @param {OptionTable} [table]
 */
export function recipeFields(values, table = finetuneOptions) {
  if (values["steps"] !== undefined && values["epochs"] !== undefined) {
    throw new CommandError("--steps and --epochs both say how long to train; give one of them.", 2);
  }
  /** @type {Record<string, unknown>} */
  const fields = {};
  for (const [name, { field, sets }] of Object.entries(table)) {
    const value = values[name];
    if (field === undefined || value === undefined) continue;
    if (name === "targets") {
      fields[field] =
        value === "all-linear"
          ? value
          : String(value)
              .split(",")
              .map((module) => module.trim());
    } else fields[field] = sets === false ? false : value;
  }
  return fields;
}

/**
 * A message about a recipe field ("rank is 0; …") as one about the option that sets it ("--rank is 0; …").
 * @param {string} field
 * @param {string} message
 */
export function inOptionTerms(field, message) {
  const name = Object.entries(finetuneOptions).find(([, option]) => option.field === field)?.[0];
  if (name === undefined) return message;
  return message.startsWith(`${field} `) ? `--${name}${message.slice(field.length)}` : `--${name}: ${message}`;
}

/**
 * The number an option was given, or `initial`; a sentence where it is out of range.
 * @param {Values} values
 * @param {string} name
 * @param {{ initial: number, min: number, max: number, whole?: boolean }} range
 */
export function numberIn(values, name, { initial, min, max, whole = true }) {
  const value = values[name] ?? initial;
  if (typeof value !== "number" || value < min || value > max || (whole && !Number.isInteger(value))) {
    throw new CommandError(
      `--${name} is ${value}; it must be a ${whole ? "whole " : ""}number from ${min} to ${max}.`,
      2,
    );
  }
  return value;
}

/**
 * The absolute path of a file that an option names.
 * @param {string} name
 * @param {string} file
 */
export function existingFile(name, file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (!stat) throw new CommandError(`--${name} ${file}: there is no such file.`, 2);
  if (!stat.isFile()) throw new CommandError(`--${name} ${file}: this is not a file.`, 2);
  try {
    fs.accessSync(file, fs.constants.R_OK);
  } catch {
    throw new CommandError(`--${name} ${file}: this file may not be read.`, 2);
  }
  return path.resolve(file);
}

const maxFiles = 2000;

/**
 * The files in a folder that an option names, by path relative to it with forward slashes; hidden ones are left out.
 * @param {string} name
 * @param {string} folder
 */
export function filesOf(name, folder) {
  const stat = fs.statSync(folder, { throwIfNoEntry: false });
  if (!stat) throw new CommandError(`--${name} ${folder}: there is no such folder.`, 2);
  if (!stat.isDirectory()) throw new CommandError(`--${name} ${folder}: this is not a folder.`, 2);
  /** @type {string[]} */
  const files = [];
  /** @param {string} inside */
  const walk = (inside) => {
    for (const entry of fs.readdirSync(path.join(folder, inside)).sort()) {
      if (entry.startsWith(".")) continue;
      const relative = inside === "" ? entry : `${inside}/${entry}`;
      const entryStat = fs.statSync(path.join(folder, relative), { throwIfNoEntry: false });
      // Three levels hold every layout of model folders; a deeper one is a folder of something else.
      if (entryStat?.isDirectory() && relative.split("/").length < 3) walk(relative);
      else if (entryStat?.isFile()) files.push(relative);
      if (files.length > maxFiles) {
        throw new CommandError(
          `--${name} ${folder}: more than ${maxFiles} files lie in it; give the model's own folder.`,
          2,
        );
      }
    }
  };
  walk("");
  return files;
}

const adapterFiles = ["adapter_config.json", "adapter_model.safetensors"];

/**
 * The two files of an adapter folder, in the order config, weights.
 * @param {string} name
 * @param {string} folder
 */
export function adapterPaths(name, folder) {
  const files = filesOf(name, folder);
  const missing = adapterFiles.find((file) => !files.includes(file));
  if (missing)
    throw new CommandError(
      `--${name} ${folder}: ${missing} is missing; give a folder that holds a PEFT LoRA adapter.`,
      2,
    );
  return adapterFiles.map((file) => path.resolve(folder, file));
}
