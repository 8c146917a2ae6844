/** A run's settings: validated, plain and frozen into the run. The page, the command line and the trainer share this file. */
import * as z from "zod/mini";

/** The seven linear modules of a Llama block. */
export const allLinear = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"] as const;

export type Schedule = "constant" | "linear" | "cosine";

export interface Recipe {
  readonly rank: number;
  readonly alpha: number;
  /** Module names, or "all-linear": every linear module of the blocks, the output layer excepted. */
  readonly targetModules: readonly string[] | "all-linear";
  readonly rslora: boolean;
  /** Probability that an input of A is zeroed; 0 ≤ dropout < 1. */
  readonly dropout: number;
  readonly learningRate: number;
  readonly schedule: Schedule;
  readonly warmupSteps: number;
  /** Optimizer steps; null: as many as `epochs` gives. */
  readonly steps: number | null;
  readonly epochs: number;
  /** Rows (packed rows where `pack`) per micro-batch. */
  readonly batchSize: number;
  /** Micro-batches per optimizer step. */
  readonly gradientAccumulation: number;
  /** Tokens per row; longer rows lose their end. */
  readonly maxLength: number;
  readonly weightDecay: number;
  /** Largest global gradient norm; 0 turns clipping off. */
  readonly clip: number;
  readonly seed: number;
  readonly shuffle: boolean;
  readonly pack: boolean;
  /** Keep only the residual stream for the backward pass and compute the rest again: less memory, about a quarter more work. */
  readonly gradientCheckpointing: boolean;
}

/** A setting is out of range; `field` is the recipe's key. */
export class RecipeError extends Error {
  override readonly name = "RecipeError";
  readonly field: string;
  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

/**
 * The rate that suits LoRA on a model of this width: 5e-5 · 10 · (2000 / hidden)^0.781, three significant digits.
 * Source: Thinking Machines, "LoRA Without Regret" (2025), Llama exponent.
 */
export function defaultLearningRate(hiddenSize: number): number {
  return Number((5e-4 * (2000 / hiddenSize) ** 0.781).toPrecision(3));
}

/**
 * The max length that suits rows of up to `longestRow` tokens where the user gives none: they fit whole, and packed rows of
 * short data stay short, so that a small dataset gives many optimizer steps and not a few large ones. At most `most`.
 */
export function fittingMaxLength(longestRow: number, most: number): number {
  const shortest = 128;
  return Math.min(most, Math.max(shortest, 2 ** Math.ceil(Math.log2(Math.max(1, longestRow)))));
}

/** Everything but the learning rate, which follows the model's width. */
export const recipeDefaults: Omit<Recipe, "learningRate"> = {
  rank: 8,
  alpha: 16,
  targetModules: "all-linear",
  rslora: false,
  dropout: 0,
  schedule: "cosine",
  warmupSteps: 0,
  steps: null,
  epochs: 3,
  batchSize: 1,
  gradientAccumulation: 1,
  maxLength: 512,
  weightDecay: 0,
  clip: 1,
  seed: 42,
  shuffle: true,
  pack: true,
  gradientCheckpointing: false,
};

const count = (min: number, max: number) => z.int().check(z.minimum(min), z.maximum(max));
const ranges: { readonly [K in keyof Recipe]: { readonly type: z.ZodMiniType; readonly expected: string } } = {
  rank: { type: count(1, 1024), expected: "a whole number from 1 to 1024" },
  alpha: { type: z.number().check(z.gt(0), z.maximum(65536)), expected: "a number above 0, up to 65536" },
  targetModules: {
    type: z.union([
      z.literal("all-linear"),
      z.array(z.string().check(z.regex(/^[A-Za-z0-9_.]+$/))).check(z.minLength(1)),
    ]),
    expected: '"all-linear" or module names such as q_proj,v_proj',
  },
  rslora: { type: z.boolean(), expected: "true or false" },
  dropout: { type: z.number().check(z.minimum(0), z.lt(1)), expected: "a number from 0 up to, not including, 1" },
  learningRate: {
    type: z.number().check(z.gt(0), z.maximum(10)),
    expected: "a number above 0, up to 10, such as 2e-4",
  },
  schedule: { type: z.enum(["constant", "linear", "cosine"]), expected: "constant, linear or cosine" },
  warmupSteps: { type: count(0, 1e9), expected: "a whole number, 0 or more" },
  steps: { type: z.nullable(count(1, 1e9)), expected: "a whole number, 1 or more" },
  epochs: { type: z.number().check(z.gt(0), z.maximum(1e6)), expected: "a number above 0" },
  batchSize: { type: count(1, 4096), expected: "a whole number from 1 to 4096" },
  gradientAccumulation: { type: count(1, 65536), expected: "a whole number from 1 to 65536" },
  maxLength: { type: count(2, 1048576), expected: "a whole number, 2 or more" },
  weightDecay: { type: z.number().check(z.minimum(0), z.maximum(10)), expected: "a number from 0 to 10" },
  clip: { type: z.number().check(z.minimum(0), z.maximum(1e9)), expected: "a number, 0 (off) or more" },
  seed: { type: count(0, 0xffffffff), expected: "a whole number from 0 to 4294967295" },
  shuffle: { type: z.boolean(), expected: "true or false" },
  pack: { type: z.boolean(), expected: "true or false" },
  gradientCheckpointing: { type: z.boolean(), expected: "true or false" },
};

/** The settings as a recipe. Throws `RecipeError` for the first field that is missing, unknown or out of range. */
export function parseRecipe(value: Readonly<Record<string, unknown>>): Recipe {
  for (const key of Object.keys(value)) {
    if (!(key in ranges)) {
      throw new RecipeError(key, `The setting "${key}" is unknown; known are ${Object.keys(ranges).join(", ")}.`);
    }
  }
  const recipe: Record<string, unknown> = {};
  for (const [key, { type, expected }] of Object.entries(ranges)) {
    const result = z.safeParse(type, value[key]);
    if (!result.success) {
      throw new RecipeError(key, `${key} is ${show(value[key])}; it must be ${expected}.`);
    }
    recipe[key] = result.data;
  }
  return recipe as unknown as Recipe;
}

function show(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "number") return String(value);
  return (JSON.stringify(value) ?? String(value)).slice(0, 80);
}

/** Settings from elsewhere: those that hold, over `base`, and one sentence for each that does not. */
export interface SharedRecipe {
  readonly recipe: Recipe;
  /** The keys that were given and hold. */
  readonly given: readonly (keyof Recipe)[];
  readonly faults: readonly string[];
}

/** Most keys that are looked at: a recipe has fewer. */
const mostKeys = 64;

/** Reads some of a recipe's settings, each by itself, so that one bad setting spoils no other. Never throws. */
export function parseSharedRecipe(values: Readonly<Record<string, unknown>>, base: Recipe): SharedRecipe {
  let recipe = base;
  const given: (keyof Recipe)[] = [];
  const faults: string[] = [];
  for (const [key, value] of Object.entries(values).slice(0, mostKeys)) {
    if (!isSetting(key)) {
      faults.push(`The setting ${JSON.stringify(key.slice(0, 40))} is unknown and left out.`);
      continue;
    }
    const { type, expected } = ranges[key];
    if (z.safeParse(type, value).success) {
      recipe = parseRecipe({ ...recipe, [key]: value });
      given.push(key);
    } else faults.push(`${key} is ${show(value)} and left out; it must be ${expected}.`);
  }
  return { recipe, given, faults };
}

const isSetting = (key: string): key is keyof Recipe => Object.hasOwn(ranges, key);
