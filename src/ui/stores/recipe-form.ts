/** What the settings form holds: texts as typed, flags, modules. */
import { allLinear, type Recipe, recipeDefaults } from "../../training/recipe";

export type Field = keyof Recipe;
export type Flag = "rslora" | "shuffle" | "pack" | "gradientCheckpointing";
export type TextField = Exclude<Field, Flag | "targetModules" | "schedule">;

/** As the form shows them; the first wrong one is the one to fix. */
export const fieldOrder = [
  "rank",
  "alpha",
  "learningRate",
  "steps",
  "epochs",
  "maxLength",
  "targetModules",
  "schedule",
  "warmupSteps",
  "batchSize",
  "gradientAccumulation",
  "dropout",
  "weightDecay",
  "clip",
  "seed",
  "shuffle",
  "pack",
  "rslora",
  "gradientCheckpointing",
] as const satisfies readonly Field[];

/** Numbers stay as typed, so that "2e-4" is not rewritten under the user's hands. */
export interface RecipeForm {
  readonly text: Readonly<Record<TextField, string>>;
  readonly flags: Readonly<Record<Flag, boolean>>;
  readonly schedule: string;
  readonly targets: readonly string[];
  readonly lengthUnit: "epochs" | "steps";
}

export const defaultForm: RecipeForm = {
  text: {
    rank: String(recipeDefaults.rank),
    alpha: String(recipeDefaults.alpha),
    learningRate: "2e-4",
    steps: "20",
    epochs: String(recipeDefaults.epochs),
    maxLength: String(recipeDefaults.maxLength),
    dropout: String(recipeDefaults.dropout),
    warmupSteps: String(recipeDefaults.warmupSteps),
    batchSize: String(recipeDefaults.batchSize),
    gradientAccumulation: String(recipeDefaults.gradientAccumulation),
    weightDecay: String(recipeDefaults.weightDecay),
    clip: String(recipeDefaults.clip),
    seed: String(recipeDefaults.seed),
  },
  flags: {
    rslora: recipeDefaults.rslora,
    shuffle: recipeDefaults.shuffle,
    pack: recipeDefaults.pack,
    gradientCheckpointing: recipeDefaults.gradientCheckpointing,
  },
  schedule: recipeDefaults.schedule,
  targets: allLinear,
  lengthUnit: "epochs",
};

export const isTextField = (field: string): field is TextField => Object.hasOwn(defaultForm.text, field);
export const isFlag = (field: string): field is Flag => Object.hasOwn(defaultForm.flags, field);

/** A recipe as the form would hold it. `choices` are the open model's modules. */
export function formOf(recipe: Recipe, choices: readonly string[]): RecipeForm {
  const text = { ...defaultForm.text };
  const flags = { ...defaultForm.flags };
  for (const field of fieldOrder) {
    const value = recipe[field];
    if (isTextField(field) && typeof value === "number") text[field] = String(value);
    if (isFlag(field) && typeof value === "boolean") flags[field] = value;
  }
  const { schedule, targetModules, steps } = recipe;
  return {
    text,
    flags,
    schedule,
    targets: targetModules === "all-linear" ? choices : choices.filter((module) => targetModules.includes(module)),
    lengthUnit: steps === null ? "epochs" : "steps",
  };
}
