/** Reads a run file back. It may come from anyone: its size is bounded, and every field is checked before any is used. */
import * as z from "zod/mini";
import { lossChoices, tooLongPolicies } from "../data/options";
import { AdapterError } from "../export/errors";
import { peftWeightsFile } from "../export/peft";
import type { AdapterConfig } from "../training/adapter";
import { parseRecipe, type Recipe, RecipeError, recipeDefaults } from "../training/recipe";
import type { DataOptions, RunLogEvent, RunSummary } from "./protocol";
import { type RunHistory, runFileName, runFileVersion, sha256 } from "./run-file";
import { unseen } from "./storage/names";
import { longestNote } from "./storage/runs";
import { mostSampleCharacters } from "./storage/samples";

const allUnseen = new RegExp(unseen, "gu");
/** Of a run of some 250,000 steps. */
const mostBytes = 64 * 1024 ** 2;
const mostSteps = 1e9;
const longestTemplate = 200_000;
/** Values of a summary beside its losses: zod would list every fault of millions. */
const mostValues = 2000;
/** Held-out losses beyond one for each step: before the first and after the last. */
const moreEvals = 2;

const text = (most: number) => z.string().check(z.maxLength(most));
const line = (most: number) => text(most).check(z.refine((value) => !unseen.test(value)));
/** File names may hold what cannot be seen: it goes, and the run comes in. */
const fileName = z.pipe(text(1000), z.transform(readable));
const count = (most = Number.MAX_SAFE_INTEGER) => z.int().check(z.minimum(0), z.maximum(most));
const amount = z.number().check(z.minimum(0));

/** Every field of T has its check, so that a new one cannot be forgotten here. */
type Checks<T> = { readonly [K in keyof T]-?: z.ZodMiniType };

const options = {
  format: z.nullable(line(100)),
  mapping: z.nullable(z.object({ shape: line(100), columns: z.record(line(1000), text(1000)) })),
  template: z.union([
    z.object({ kind: z.literal("model") }),
    z.object({ kind: z.literal("named"), id: line(100) }),
    z.object({ kind: z.literal("own"), jinja: text(longestTemplate) }),
  ]),
  lossOn: z.enum(lossChoices),
  tooLong: z.enum(tooLongPolicies),
  skip: z.array(line(100)).check(z.maxLength(100)),
  evalShare: z.number().check(z.minimum(0), z.maximum(0.5)),
} satisfies Checks<DataOptions>;

const heldOut = {
  rows: count(),
  truncatedRows: count(),
  droppedRows: count(),
  leftOutRows: count(),
  sampled: z.boolean(),
} satisfies Checks<NonNullable<RunSummary["heldOut"]>>;

const date = z.iso.datetime().check(z.regex(/^20\d\d-/));

const summary = {
  id: line(200),
  name: text(200),
  model: fileName,
  dataset: fileName,
  dataOptions: z.exactOptional(z.object(options)),
  leftOutRows: z.exactOptional(count()),
  heldOut: z.exactOptional(z.nullable(z.object(heldOut))),
  recipe: z.record(line(100), z.unknown()),
  created: date,
  state: z.enum(["finished", "stopped"]),
  steps: count(mostSteps),
  trainableParameters: count(),
  // Each is checked by itself, below.
  losses: z.array(z.unknown()),
  evalBefore: z.nullable(z.number()),
  evalAfter: z.nullable(z.number()),
  milliseconds: amount,
  tokens: count(),
  adapterBytes: count(),
  note: z.exactOptional(text(longestNote)),
} satisfies Checks<RunSummary>;

const step = {
  kind: z.literal("step"),
  step: count(mostSteps),
  steps: count(mostSteps),
  epoch: amount,
  loss: z.number(),
  learningRate: z.number(),
  gradientNorm: z.number(),
  tokens: count(),
  countedTokens: count(),
  milliseconds: amount,
} satisfies Checks<Extract<RunLogEvent, { kind: "step" }>>;

const measured = {
  kind: z.literal("eval"),
  step: count(mostSteps),
  // JSON has no NaN: it writes null.
  loss: z.pipe(
    z.nullable(z.number()),
    z.transform((loss) => loss ?? Number.NaN),
  ),
  countedTokens: count(),
} satisfies Checks<Extract<RunLogEvent, { kind: "eval" }>>;

const sample = {
  kind: z.literal("sample"),
  step: count(mostSteps),
  prompt: text(mostBytes),
  text: text(mostBytes),
} satisfies Checks<Extract<RunLogEvent, { kind: "sample" }>>;

const aboutSchema = z.object({
  summary: z.object(summary),
  chatTemplate: z.optional(z.nullable(text(longestTemplate))),
  adapterSha256: z.optional(z.string().check(z.regex(/^[0-9a-f]{64}$/))),
  log: z.array(z.unknown()),
});
const eventSchema = z.discriminatedUnion("kind", [z.object(step), z.object(measured), z.object(sample)]);

/** `config` and `weights` are of the adapter that the file lies beside. Throws `AdapterError` with what is wrong, and where. */
export async function readRunFile(file: Blob, config: AdapterConfig, weights: Blob): Promise<RunHistory> {
  if (file.size > mostBytes) {
    throw new AdapterError(`${runFileName} has ${file.size} bytes; ${mostBytes} is the most that is read.`);
  }
  const json = parseJson(await file.text());
  const version = isObject(json) ? json["version"] : undefined;
  if (typeof version === "number" && version > runFileVersion) {
    throw new AdapterError(
      `${runFileName} was written by a newer Tabtune; reload the page to get it, and import again.`,
    );
  }
  checkSummarySize(json);
  const about = parse(aboutSchema, json, json, []);
  const recipe = readRecipe(about.summary.recipe);
  checkCounts(about.summary.steps, about.summary.losses.length, about.log.length);
  const losses = each(about.summary.losses, z.number(), json, ["summary", "losses"]);
  const log = each(about.log, eventSchema, json, ["log"]);
  const read: RunSummary = { ...about.summary, recipe, losses };
  checkSteps(read, log);
  checkAdapter(recipe, config);
  if (about.adapterSha256 !== undefined && about.adapterSha256 !== (await sha256(weights))) {
    throw new AdapterError(
      `${runFileName} is of another adapter: the SHA-256 of its ${peftWeightsFile} differs; put it beside its own.`,
    );
  }
  return { summary: read, log, chatTemplate: about.chatTemplate ?? null };
}

/** `value` lies at `path` in `json`. */
function parse<T>(schema: z.ZodMiniType<T>, value: unknown, json: unknown, path: readonly PropertyKey[]): T {
  const parsed = z.safeParse(schema, value);
  if (!parsed.success) throw fault(json, [...path, ...(parsed.error.issues[0]?.path ?? [])]);
  return parsed.data;
}

/** One by one, so that the first fault is the only one. */
function each<T>(
  values: readonly unknown[],
  schema: z.ZodMiniType<T>,
  json: unknown,
  path: readonly PropertyKey[],
): readonly T[] {
  return values.map((value, index) => parse(schema, value, json, [...path, index]));
}

function checkSummarySize(json: unknown): void {
  const given = isObject(json) ? json["summary"] : undefined;
  if (!isObject(given)) return;
  const { losses: _, ...rest } = given;
  if (!hasAtMost(mostValues, rest)) {
    throw new AdapterError(`${runFileName}: summary has more than ${mostValues} values; export the run again.`);
  }
}

/** Values in values count too. */
function hasAtMost(most: number, value: unknown): boolean {
  const open = [value];
  let count = 0;
  while (open.length > 0) {
    const next = open.pop();
    if (!isObject(next)) continue;
    for (const inner of Object.values(next)) {
      if (++count > most) return false;
      open.push(inner);
    }
  }
  return true;
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new AdapterError(`${runFileName} is not valid JSON; export the run again.`, { cause });
  }
}

/** A setting that the run's Tabtune did not know yet was at its default. */
function readRecipe(given: Readonly<Record<string, unknown>>): Recipe {
  try {
    return parseRecipe({ ...recipeDefaults, ...given });
  } catch (error) {
    if (error instanceof RecipeError) {
      throw new AdapterError(`${runFileName}, summary.recipe: ${readable(error.message)}`);
    }
    throw error;
  }
}

/** Parts that contradict each other are of different runs. Counted before any event is read. */
function checkCounts(steps: number, losses: number, events: number): void {
  const most = 2 * steps + moreEvals + mostSampleCharacters;
  if (losses !== steps || events < steps || events > most) {
    throw new AdapterError(
      `${runFileName} tells of ${steps} steps, of ${losses} losses and of ${events} events in its log; export the run again.`,
    );
  }
}

function checkSteps({ steps }: RunSummary, log: readonly RunLogEvent[]): void {
  const logged = log.filter(({ kind }) => kind === "step");
  const wrong = logged.findIndex(({ step }, index) => step !== index + 1);
  if (wrong >= 0) {
    throw new AdapterError(
      `${runFileName}: step ${wrong + 1} of its log is numbered ${logged[wrong]?.step}; export the run again.`,
    );
  }
  const evals = log.filter(({ kind }) => kind === "eval").length;
  if (logged.length !== steps || evals > steps + moreEvals) {
    throw new AdapterError(
      `${runFileName} tells of ${steps} steps, and of ${logged.length} steps and ${evals} held-out losses in its log; export the run again.`,
    );
  }
}

function checkAdapter(recipe: Recipe, config: AdapterConfig): void {
  for (const key of ["rank", "alpha", "rslora", "dropout"] as const) {
    if (recipe[key] !== config[key]) throw ofAnother(key, recipe[key], config[key]);
  }
  // Which layers "all-linear" means is the model's to say.
  if (recipe.targetModules === "all-linear") return;
  const [said, has] = [recipe.targetModules, config.targetModules].map((names) =>
    [...new Set(names.map((name) => name.slice(name.lastIndexOf(".") + 1)))].toSorted().join(", "),
  );
  if (said !== has) throw ofAnother("targetModules", said ?? "", has ?? "");
}

function ofAnother(key: string, said: unknown, has: unknown): AdapterError {
  return new AdapterError(
    `${runFileName} is of another adapter: it says ${key} ${String(said).slice(0, 200)}, the adapter has ${String(has).slice(0, 200)}; put it beside its own.`,
  );
}

/** On one line, and written in one direction. */
function readable(value: string): string {
  return value.replace(allUnseen, " ");
}

function fault(json: unknown, path: readonly PropertyKey[]): AdapterError {
  let value = json;
  let name = "";
  for (const key of path) {
    value = isObject(value) && Object.hasOwn(value, key) ? value[String(key)] : undefined;
    name += typeof key === "number" ? `[${key}]` : `${name === "" ? "" : "."}${String(key).slice(0, 60)}`;
  }
  return new AdapterError(
    `${runFileName}: ${readable(name) || "the file"} is ${shown(value)}, which no run of Tabtune has; export the run again.`,
  );
}

/** Its beginning; what is too large or too deep to be written down is named by its kind. */
function shown(value: unknown): string {
  if (value === undefined) return "missing";
  if (!hasAtMost(100, value)) return Array.isArray(value) ? "a long list" : "a large object";
  const whole = JSON.stringify(typeof value === "string" ? value.slice(0, 60) : value) ?? "";
  return readable(whole.slice(0, 60));
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;
