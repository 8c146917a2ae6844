/** The settings form: what is typed, which fields are wrong and why, and the recipe where none is. */
import { createStore } from "zustand/vanilla";
import { allLinear, parseRecipe, type Recipe, RecipeError, recipeDefaults } from "../../training/recipe";
import type { MemoryPlan, ModelInfo } from "../../worker/protocol";
import { strings } from "../strings";

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

export interface RecipeState {
  readonly form: RecipeForm;
  /** The user typed a rate: a newly opened model no longer changes it. */
  readonly rateTouched: boolean;
  /** The same for the max length. */
  readonly lengthTouched: boolean;
  /** Most tokens that the open model takes; null before one is open. */
  readonly maxPositions: number | null;
  readonly targetChoices: readonly string[];
  readonly errors: Readonly<Partial<Record<Field, string>>>;
  readonly recipe: Recipe | null;
  readonly plan: MemoryPlan | null;
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

/** A number where the text is one, else the text itself, so that the message can quote it. */
function numberOrText(text: string): number | string {
  const trimmed = text.trim();
  const value = Number(trimmed);
  return trimmed === "" || Number.isNaN(value) ? trimmed : value;
}

/** The form as `parseRecipe` takes it. `choices` are the model's modules: all of them is "all-linear". */
function formValues(form: RecipeForm, choices: readonly string[]): Readonly<Record<Field, unknown>> {
  const { text, lengthUnit } = form;
  const chosen = choices.filter((module) => form.targets.includes(module));
  return {
    rank: numberOrText(text.rank),
    alpha: numberOrText(text.alpha),
    targetModules: chosen.length === choices.length ? "all-linear" : chosen,
    ...form.flags,
    dropout: numberOrText(text.dropout),
    learningRate: numberOrText(text.learningRate),
    schedule: form.schedule,
    warmupSteps: numberOrText(text.warmupSteps),
    steps: lengthUnit === "steps" ? numberOrText(text.steps) : null,
    epochs: lengthUnit === "epochs" ? numberOrText(text.epochs) : recipeDefaults.epochs,
    batchSize: numberOrText(text.batchSize),
    gradientAccumulation: numberOrText(text.gradientAccumulation),
    maxLength: numberOrText(text.maxLength),
    weightDecay: numberOrText(text.weightDecay),
    clip: numberOrText(text.clip),
    seed: numberOrText(text.seed),
  };
}

/** All wrong fields at once, each with the recipe's own sentence, its key replaced by the field's label. */
export function checkForm(
  form: RecipeForm,
  choices: readonly string[],
  maxPositions: number | null = null,
): Pick<RecipeState, "errors" | "recipe"> {
  const values = formValues(form, choices);
  const errors: Partial<Record<Field, string>> = {};
  const good = { ...recipeDefaults, learningRate: 1e-3 };
  for (const field of fieldOrder) {
    const message = refusal({ ...good, [field]: values[field] });
    if (message !== null) errors[field] = message.replace(field, strings.fields[field].label);
  }
  const length = Number(form.text.maxLength);
  if (errors.maxLength === undefined && maxPositions !== null && length > maxPositions) {
    errors.maxLength = strings.errors.tooLong(strings.fields.maxLength.label, length, maxPositions);
  }
  return { errors, recipe: Object.keys(errors).length === 0 ? parseRecipe(values) : null };
}

function refusal(values: Readonly<Record<string, unknown>>): string | null {
  try {
    parseRecipe(values);
    return null;
  } catch (error) {
    if (error instanceof RecipeError) return error.message;
    throw error;
  }
}

export const createRecipeStore = () =>
  createStore<RecipeState>(() => ({
    form: defaultForm,
    rateTouched: false,
    lengthTouched: false,
    maxPositions: null,
    targetChoices: allLinear,
    ...checkForm(defaultForm, allLinear),
    plan: null,
  }));

export type RecipeStore = ReturnType<typeof createRecipeStore>;

/** Changes the form and checks all of it again. */
export function editForm(store: RecipeStore, edit: (form: RecipeForm) => RecipeForm): void {
  store.setState(({ form, targetChoices, maxPositions }) => {
    const edited = edit(form);
    return { form: edited, ...checkForm(edited, targetChoices, maxPositions) };
  });
}

export function editText(store: RecipeStore, field: TextField, value: string): void {
  if (field === "learningRate") store.setState({ rateTouched: true });
  if (field === "maxLength") store.setState({ lengthTouched: true });
  editForm(store, (form) => ({ ...form, text: { ...form.text, [field]: value } }));
}

type Fitted = Pick<ModelInfo, "loraTargets" | "defaultLearningRate" | "maxPositions">;

/** A model opened: its modules are the choices, and its rate and length are taken over unless the user typed one. */
export function adoptModel(store: RecipeStore, { loraTargets, defaultLearningRate, maxPositions }: Fitted): void {
  const { rateTouched, lengthTouched, form, targetChoices } = store.getState();
  const allChosen = targetChoices.every((module) => form.targets.includes(module));
  store.setState({ targetChoices: loraTargets, maxPositions });
  const length = Math.min(recipeDefaults.maxLength, maxPositions);
  editForm(store, (old) => ({
    ...old,
    targets: allChosen ? loraTargets : old.targets,
    text: {
      ...old.text,
      ...(rateTouched ? {} : { learningRate: String(defaultLearningRate) }),
      ...(lengthTouched ? {} : { maxLength: String(length) }),
    },
  }));
}

/** Takes over the length that suits the data, as if typed, so that the user's own would win. */
export function adoptLength(store: RecipeStore, maxLength: number): void {
  editForm(store, (form) => ({ ...form, text: { ...form.text, maxLength: String(maxLength) } }));
}
