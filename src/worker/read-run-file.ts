/** Reads a run file back. It may come from anyone: its size is bounded, and every field is checked before any is used. */
import * as z from "zod/mini";
import { lossChoices, tooLongPolicies } from "../data/options";
import { AdapterError } from "../export/errors";
import type { AdapterConfig } from "../training/adapter";
import { parseRecipe, type Recipe, RecipeError, recipeDefaults } from "../training/recipe";
import type { DataOptions, RunLogEvent, RunSummary } from "./protocol";
import { type RunHistory, runFileName, runFileVersion } from "./run-file";
import { longestNote } from "./storage/runs";

/** Of a run of some 200,000 steps. */
const mostBytes = 64 * 1024 ** 2;
const mostSteps = 1e9;
const longestTemplate = 200_000;

const text = (most: number) => z.string().check(z.maxLength(most));
const count = (most = Number.MAX_SAFE_INTEGER) => z.int().check(z.minimum(0), z.maximum(most));
const amount = z.number().check(z.minimum(0));

/** Every field of T has its check, so that a new one cannot be forgotten here. */
type Checks<T> = { readonly [K in keyof T]-?: z.ZodMiniType };

const options = {
  format: z.nullable(text(100)),
  mapping: z.nullable(z.object({ shape: text(100), columns: z.record(text(1000), text(1000)) })),
  template: z.union([
    z.object({ kind: z.literal("model") }),
    z.object({ kind: z.literal("named"), id: text(100) }),
    z.object({ kind: z.literal("own"), jinja: text(longestTemplate) }),
  ]),
  lossOn: z.enum(lossChoices),
  tooLong: z.enum(tooLongPolicies),
  skip: z.array(text(100)).check(z.maxLength(100)),
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
  id: text(200),
  name: text(200),
  model: text(1000),
  dataset: text(1000),
  dataOptions: z.exactOptional(z.object(options)),
  leftOutRows: z.exactOptional(count()),
  heldOut: z.exactOptional(z.nullable(z.object(heldOut))),
  recipe: z.record(text(100), z.unknown()),
  created: date,
  state: z.enum(["finished", "stopped"]),
  steps: count(mostSteps),
  trainableParameters: count(),
  losses: z.array(z.number()),
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

const fileSchema = z.object({
  summary: z.object(summary),
  chatTemplate: z.optional(z.nullable(text(longestTemplate))),
  log: z.array(z.discriminatedUnion("kind", [z.object(step), z.object(measured), z.object(sample)])),
});

/** `config` is the adapter that the file lies beside. Throws `AdapterError` with what is wrong, and where. */
export async function readRunFile(file: Blob, config: AdapterConfig): Promise<RunHistory> {
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
  const parsed = z.safeParse(fileSchema, json);
  if (!parsed.success) throw fault(json, parsed.error.issues[0]?.path ?? []);
  const { log, chatTemplate = null } = parsed.data;
  const recipe = readRecipe(parsed.data.summary.recipe);
  const read: RunSummary = { ...parsed.data.summary, recipe };
  checkWhole(read, log, config);
  return { summary: read, log, chatTemplate };
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
    if (error instanceof RecipeError) throw new AdapterError(`${runFileName}, summary.recipe: ${error.message}`);
    throw error;
  }
}

/** Parts that contradict each other or the adapter are of different runs. */
function checkWhole({ steps, losses, recipe }: RunSummary, log: readonly RunLogEvent[], config: AdapterConfig): void {
  const logged = log.filter(({ kind }) => kind === "step").length;
  if (losses.length !== steps || logged !== steps) {
    throw new AdapterError(
      `${runFileName} tells of ${steps} steps, of ${losses.length} losses and of ${logged} steps in its log; export the run again.`,
    );
  }
  for (const key of ["rank", "alpha", "rslora"] as const) {
    if (recipe[key] === config[key]) continue;
    throw new AdapterError(
      `${runFileName} is of another adapter: it says ${key} ${recipe[key]}, the adapter has ${config[key]}; put it beside its own.`,
    );
  }
}

function fault(json: unknown, path: readonly PropertyKey[]): AdapterError {
  let value = json;
  let name = "";
  for (const key of path) {
    value = isObject(value) && Object.hasOwn(value, key) ? value[String(key)] : undefined;
    name += typeof key === "number" ? `[${key}]` : `${name === "" ? "" : "."}${String(key).slice(0, 60)}`;
  }
  const shown = value === undefined ? "missing" : (JSON.stringify(value) ?? "").slice(0, 60);
  return new AdapterError(
    `${runFileName}: ${name || "the file"} is ${shown}, which no run of Tabtune has; export the run again.`,
  );
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;
