/** Presets, ways back, and settings that come and go as a link or a file. */

import type { PresetName } from "../stores/presets";
import { choosePreset, editForm, type Field, replaceForm, resetField, untouchedForm } from "../stores/recipe";
import { hashOf } from "../stores/route";
import { linkPrefix, mostCharacters, type Offer, readShared, settingsToShare, toLink } from "../stores/shared-settings";
import { strings } from "../strings";
import { inspect, setOptions } from "./data";
import type { Desk } from "./desk";
import { saveFile } from "./save-file";

const text = strings.settings.shared;

export const applyPreset = ({ stores }: Desk, preset: PresetName): void => choosePreset(stores.recipe, preset);

/** One field back; the focus goes into it, for the button that had it is gone. */
export function backToDefault(desk: Desk, field: Field, inputId: string): void {
  resetField(desk.stores.recipe, field);
  // The next look fits the length to the data; without a change of the form none would come.
  if (field === "maxLength") void inspect(desk);
  document.getElementById(inputId)?.focus();
}

/** Everything back to the preset, and to the defaults where it sets nothing. */
export function backToPreset(desk: Desk): void {
  const { recipe } = desk.stores;
  const touched = recipe.getState().lengthTouched;
  const fitted = recipe.getState().form.text.maxLength;
  replaceForm(recipe, untouchedForm(recipe.getState()));
  if (touched) void inspect(desk);
  // A length that was fitted to the data is no change of the user's and stays.
  else editForm(recipe, (form) => ({ ...form, text: { ...form.text, maxLength: fitted } }));
}

const now = ({ stores }: Desk) => ({
  state: stores.recipe.getState(),
  model: stores.model.getState().name,
  template: stores.data.getState().options.template,
  templates: stores.data.getState().shown?.templates ?? [],
});

/** The settings as JSON for a file; null while a field is wrong. */
export function settingsFile(desk: Desk): { readonly name: string; readonly json: string } | null {
  const { state, model, template } = now(desk);
  const shared = settingsToShare(state, model, template);
  return shared && { name: text.fileName(model), json: `${JSON.stringify(shared, null, 2)}\n` };
}

/** The whole address with the settings in it; null while a field is wrong. */
export function settingsLink(desk: Desk): string | null {
  const { state, model, template } = now(desk);
  const shared = settingsToShare(state, model, template);
  return shared && location.href.replace(/#.*$/, "") + toLink(shared);
}

export async function readSettingsFile(desk: Desk, file: File): Promise<Offer | string> {
  if (file.size > mostCharacters) return text.tooLarge(file.name);
  return readShared(await file.text(), now(desk));
}

/** `json` null: the link could not be decoded. */
export const readSettings = (desk: Desk, json: string | null): Offer | string =>
  json === null ? text.damaged : readShared(json, now(desk));

export async function applyOffer(desk: Desk, offer: Offer): Promise<void> {
  const { stores } = desk;
  const { preset, rateTouched, lengthTouched, form, template } = offer;
  const before = stores.recipe.getState();
  replaceForm(stores.recipe, form, { preset, rateTouched, lengthTouched });
  if (JSON.stringify(template) !== JSON.stringify(stores.data.getState().options.template)) {
    await setOptions(desk, { template });
  } else if (before.lengthTouched && !lengthTouched) await inspect(desk);
}

/**
 * The link's part of the address, taken out of it so that a reload does not ask again; the step that is shown takes its
 * place. Null where there is none.
 */
export function takeLink({ stores }: Desk): string | null {
  const { hash } = location;
  if (!hash.startsWith(linkPrefix)) return null;
  history.replaceState(history.state, "", hashOf(stores.route.getState().step));
  return hash;
}

export const saveText = (name: string, content: string): void =>
  saveFile(name, new Blob([content], { type: "application/json" }));
