/** The settings form: what is typed, which fields are wrong and why, and the recipe where none is. */
import { createStore } from "zustand/vanilla";
import { allLinear, parseRecipe, type Recipe, RecipeError, recipeDefaults } from "../../training/recipe";
import type { MemoryPlan, ModelInfo } from "../../worker/protocol";
import { strings } from "../strings";
import { readNumber } from "./number-text";
import { type PresetName, presetRate, presets, presetTexts, withPreset } from "./presets";
import {
  defaultForm,
  type Field,
  fieldOrder,
  isFlag,
  isTextField,
  type RecipeForm,
  type TextField,
} from "./recipe-form";

export {
  defaultForm,
  type Field,
  type Flag,
  fieldOrder,
  isTextField,
  type RecipeForm,
  type TextField,
} from "./recipe-form";

export interface RecipeState {
  readonly form: RecipeForm;
  readonly preset: PresetName;
  /** The rate that suits the open model, as text. */
  readonly suggestedRate: string;
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

/** A number where the text is one, else the text itself, so that the message can quote it. */
function numberOrText(text: string): number | string {
  return readNumber(text).value ?? text.trim();
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
    if (message !== null) errors[field] = unread(field, form) ?? message.replace(field, strings.fields[field].label);
  }
  const length = Number(numberOrText(form.text.maxLength));
  if (errors.maxLength === undefined && maxPositions !== null && length > maxPositions) {
    errors.maxLength = strings.errors.tooLong(strings.fields.maxLength.label, length, maxPositions);
  }
  return { errors, recipe: Object.keys(errors).length === 0 ? parseRecipe(values) : null };
}

/** What is said of a text that was nearly a number. */
function unread(field: Field, form: RecipeForm): string | null {
  if (!isTextField(field)) return null;
  const read = readNumber(form.text[field]);
  if (read.value !== null || read.why === null) return null;
  return strings.settings.unread[read.why](strings.fields[field].label, form.text[field].trim());
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
    preset: "balanced",
    suggestedRate: defaultForm.text.learningRate,
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
  const { rateTouched, lengthTouched, form, targetChoices, preset } = store.getState();
  const suggestedRate = String(defaultLearningRate);
  const allChosen = targetChoices.every((module) => form.targets.includes(module));
  store.setState({ targetChoices: loraTargets, maxPositions, suggestedRate });
  const length = Math.min(recipeDefaults.maxLength, maxPositions);
  editForm(store, (old) => ({
    ...old,
    targets: allChosen ? loraTargets : old.targets,
    text: {
      ...old.text,
      ...(rateTouched ? {} : { learningRate: presetRate(preset, suggestedRate) }),
      ...(lengthTouched ? {} : { maxLength: String(length) }),
    },
  }));
}

/** Takes over the length that suits the data, as if typed, so that the user's own would win. */
export function adoptLength(store: RecipeStore, maxLength: number): void {
  editForm(store, (form) => ({ ...form, text: { ...form.text, maxLength: String(maxLength) } }));
}

/** Sets what the preset sets; max length, modules, seed and switches stay. */
export function choosePreset(store: RecipeStore, preset: PresetName): void {
  store.setState({ preset, rateTouched: false });
  editForm(store, (form) => withPreset(form, preset, store.getState().suggestedRate));
}

/** The form with nothing changed: the preset's values, and the defaults for what no preset sets. */
export function untouchedForm(
  state: Pick<RecipeState, "preset" | "suggestedRate" | "targetChoices" | "maxPositions">,
): RecipeForm {
  const { preset, suggestedRate, targetChoices, maxPositions } = state;
  const form = withPreset(defaultForm, preset, suggestedRate);
  const maxLength = String(Math.min(recipeDefaults.maxLength, maxPositions ?? recipeDefaults.maxLength));
  return { ...form, targets: targetChoices, text: { ...form.text, maxLength } };
}

/** Fields that differ from the preset, or from the default where no preset sets them; in the form's order. */
export function changedFields(state: Omit<RecipeState, "errors" | "recipe" | "plan">): readonly Field[] {
  const { form, rateTouched, lengthTouched, targetChoices } = state;
  const start = untouchedForm(state);
  const sameText = (field: TextField): boolean => numberOrText(form.text[field]) === numberOrText(start.text[field]);
  return fieldOrder.filter((field) => {
    if (field === "maxLength") return lengthTouched;
    if (field === "learningRate") return rateTouched && !sameText(field);
    if (field === "steps") return form.lengthUnit === "steps";
    if (field === "epochs") return form.lengthUnit === "epochs" && !sameText(field);
    if (isTextField(field)) return !sameText(field);
    if (isFlag(field)) return form.flags[field] !== start.flags[field];
    if (field === "schedule") return form.schedule !== start.schedule;
    return !targetChoices.every((module) => form.targets.includes(module));
  });
}

/** What `resetField` would bring back, as text. */
export function defaultText(state: RecipeState, field: TextField): string {
  return untouchedForm(state).text[field];
}

/** One field back to the preset's value or the default. The max length follows the data again from the next look on. */
export function resetField(store: RecipeStore, field: Field): void {
  const start = untouchedForm(store.getState());
  if (field === "learningRate") store.setState({ rateTouched: false });
  if (field === "maxLength") store.setState({ lengthTouched: false });
  editForm(store, (form) => {
    if (field === "steps") {
      return { ...form, lengthUnit: "epochs", text: { ...form.text, epochs: start.text.epochs } };
    }
    if (isTextField(field)) return { ...form, text: { ...form.text, [field]: start.text[field] } };
    if (isFlag(field)) return { ...form, flags: { ...form.flags, [field]: start.flags[field] } };
    return field === "schedule" ? { ...form, schedule: start.schedule } : { ...form, targets: start.targets };
  });
}

/** Takes over a whole form, as from a file. */
export function replaceForm(
  store: RecipeStore,
  form: RecipeForm,
  touched: Partial<Pick<RecipeState, "preset" | "rateTouched" | "lengthTouched">> = {},
): void {
  store.setState({ rateTouched: false, lengthTouched: false, ...touched });
  editForm(store, () => form);
}

/** The preset whose values the form has, where it has those of one; else the one that was chosen. */
export function presetOf(form: RecipeForm, chosen: PresetName): PresetName {
  const alike = (name: PresetName): boolean =>
    form.lengthUnit === "epochs" &&
    form.schedule === presets[name].schedule &&
    presetTexts.every((field) => numberOrText(form.text[field]) === Number(presets[name].text[field]));
  return (["balanced", "quick", "thorough"] as const).find(alike) ?? chosen;
}
