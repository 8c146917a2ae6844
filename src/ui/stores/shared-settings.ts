/** A run's settings as a link and as a file: what differs from the defaults, the model's name and the chat template. Never data. */
import { parseSharedRecipe, type Recipe, recipeDefaults } from "../../training/recipe";
import type { DataOptions } from "../../worker/protocol";
import { count } from "../format";
import { strings } from "../strings";
import { type PresetName, presetNames } from "./presets";
import { presetOf, type RecipeState } from "./recipe";
import { type Field, fieldOrder, formOf, type RecipeForm } from "./recipe-form";

type Template = DataOptions["template"];

export interface SharedSettings {
  readonly tabtune: "settings";
  readonly version: 1;
  readonly model: string;
  readonly preset: PresetName;
  readonly settings: Readonly<Partial<Recipe>>;
  /** Absent where the model's own is used. */
  readonly template?: Template;
}

/** What stands in the address before the settings. */
export const linkPrefix = "#settings=";
/** Characters of a link and bytes of a file, beyond which nothing is read. */
export const mostCharacters = 65_536;
const longestTemplate = 20_000;
const text = strings.settings.shared;

/** Null while a field is wrong. A rate or length that nobody typed is left out: it follows the model and the data. */
export function settingsToShare(state: RecipeState, model: string, template: Template): SharedSettings | null {
  const { recipe, rateTouched, lengthTouched } = state;
  if (recipe === null) return null;
  const differs = (field: Field): boolean => {
    if (field === "learningRate") return rateTouched || state.preset !== "balanced";
    if (field === "maxLength") return lengthTouched;
    return JSON.stringify(recipe[field]) !== JSON.stringify(recipeDefaults[field]);
  };
  const settings = Object.fromEntries(fieldOrder.filter(differs).map((field) => [field, recipe[field]]));
  const shared = { tabtune: "settings", version: 1, model, preset: state.preset, settings } as const;
  return template.kind === "model" ? shared : { ...shared, template };
}

/** JSON in UTF-8 as base64url. */
export function toLink(settings: SharedSettings): string {
  const bytes = new TextEncoder().encode(JSON.stringify(settings));
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return linkPrefix + btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** The JSON text in an address's hash; null where it is cut short or damaged. */
export function fromLink(hash: string): string | null {
  const encoded = hash.slice(linkPrefix.length);
  if (encoded.length > mostCharacters) return null;
  try {
    const binary = atob(encoded.replace(/-/g, "+").replace(/_/g, "/"));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

export interface Change {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

/** What shared settings would do to the form. */
export interface Offer {
  readonly changes: readonly Change[];
  /** One sentence for each setting that cannot be taken. */
  readonly faults: readonly string[];
  /** What else is to be known: they were made for another model. */
  readonly notes: readonly string[];
  readonly form: RecipeForm;
  readonly preset: PresetName;
  readonly rateTouched: boolean;
  readonly lengthTouched: boolean;
  readonly template: Template;
}

interface Now {
  readonly state: RecipeState;
  readonly model: string;
  readonly template: Template;
  /** Ids of the templates that are known; empty before a dataset was read. */
  readonly templates: readonly { readonly id: string; readonly label: string }[];
}

/** Compares shared settings with those of now. A string: why there are none in `json`. Never throws. */
export function readShared(json: string, now: Now): Offer | string {
  const shared = parseJson(json);
  if (shared === null) return text.unreadable;
  if (shared["tabtune"] !== "settings") return text.otherFile;
  if (shared["version"] !== 1) return text.newer;
  const values = record(shared["settings"]);
  if (values === null) return text.unreadable;
  const { state } = now;
  const { targetChoices, maxPositions, suggestedRate } = state;
  const base: Recipe = { ...recipeDefaults, learningRate: Number(suggestedRate) };
  const longest = maxPositions ?? Number.POSITIVE_INFINITY;
  const parsed = parseSharedRecipe(values, base);
  const faults = parsed.faults.map(withLabels);
  const given = new Set(parsed.given);
  let { recipe } = parsed;
  if (recipe.maxLength > longest) {
    if (given.has("maxLength")) faults.push(text.tooLong(recipe.maxLength, longest));
    given.delete("maxLength");
    recipe = { ...recipe, maxLength: Math.min(base.maxLength, longest) };
  }
  const missing =
    recipe.targetModules === "all-linear" ? [] : recipe.targetModules.filter((name) => !targetChoices.includes(name));
  if (missing.length > 0) faults.push(text.noModule(missing.slice(0, 8).join(", ").slice(0, 120)));
  if (missing.length === recipe.targetModules.length) recipe = { ...recipe, targetModules: "all-linear" };
  const template = readTemplate(shared["template"], now, faults);
  const lengthTouched = given.has("maxLength");
  const form = formOf(recipe, targetChoices);
  // A length that nobody chose stays as it was fitted to the data here.
  const fitted = lengthTouched || state.lengthTouched ? form : withLength(form, state.form.text.maxLength);
  const wanted = presetNames.find((name) => name === shared["preset"]) ?? "balanced";
  const model = typeof shared["model"] === "string" ? shared["model"].slice(0, 120) : "";
  const changes = changesBetween(state, fitted);
  if (JSON.stringify(template) !== JSON.stringify(now.template)) {
    changes.push({ name: text.template, before: templateName(now.template, now), after: templateName(template, now) });
  }
  return {
    changes,
    faults,
    notes: model !== "" && model !== now.model ? [text.otherModel(model, now.model)] : [],
    form: fitted,
    preset: presetOf(form, wanted),
    rateTouched: given.has("learningRate"),
    lengthTouched,
    template,
  };
}

const withLength = (form: RecipeForm, maxLength: string): RecipeForm => ({
  ...form,
  text: { ...form.text, maxLength },
});

function changesBetween(state: RecipeState, then: RecipeForm): Change[] {
  const all = state.targetChoices.length;
  const shown = ({ text: texts, flags, schedule, targets, lengthUnit }: RecipeForm, field: Field): string => {
    if (field === "targetModules") return targets.length === all ? text.allModules : targets.join(", ");
    if (field === "schedule") return scheduleNames[schedule] ?? schedule;
    if (field === "steps" || field === "epochs") return lengthUnit === field ? texts[field] : "–";
    if (field === "rslora" || field === "shuffle" || field === "pack" || field === "gradientCheckpointing") {
      return strings.train.flag[flags[field] ? "on" : "off"];
    }
    return texts[field];
  };
  return fieldOrder.flatMap((field) => {
    const [before, after] = [shown(state.form, field), shown(then, field)];
    if (before === after || (before !== "" && Number(before) === Number(after))) return [];
    return [{ name: strings.fields[field].label, before, after }];
  });
}

const scheduleNames: Readonly<Record<string, string>> = strings.schedules;

/** Sentences begin with the setting's key; the page calls it by its label. */
function withLabels(sentence: string): string {
  const field = fieldOrder.find((name) => sentence.startsWith(`${name} `));
  return field === undefined ? sentence : sentence.replace(field, strings.fields[field].label);
}

function readTemplate(value: unknown, now: Now, faults: string[]): Template {
  if (value === undefined) return { kind: "model" };
  const given = record(value);
  const id = given?.["id"];
  const jinja = given?.["jinja"];
  if (given?.["kind"] === "model") return { kind: "model" };
  if (given?.["kind"] === "named" && typeof id === "string") {
    if (now.templates.length === 0 || now.templates.some((known) => known.id === id)) return { kind: "named", id };
    faults.push(text.noTemplate(id.slice(0, 40)));
    return now.template;
  }
  if (given?.["kind"] === "own" && typeof jinja === "string" && jinja.length <= longestTemplate) {
    return { kind: "own", jinja };
  }
  faults.push(text.badTemplate(count(longestTemplate)));
  return now.template;
}

function templateName(template: Template, { templates }: Now): string {
  if (template.kind === "named") return templates.find(({ id }) => id === template.id)?.label ?? template.id;
  return text.templateKinds[template.kind];
}

function parseJson(json: string): Readonly<Record<string, unknown>> | null {
  if (json.length > mostCharacters) return null;
  try {
    return record(JSON.parse(json));
  } catch {
    return null;
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
}
