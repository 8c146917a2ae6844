/** Choosing another model: looking it up, taking files, and judging whether it fits before it is opened. */
import { recipeDefaults } from "../../training/recipe";
import type { CachedModel, CatalogueModel, ModelSource, Quantization } from "../../worker/protocol";
import { busy, idle } from "../stores/load";
import { type Choice, noChoice, type Way } from "../stores/picker";
import { keptOf } from "../stores/stored";
import { strings } from "../strings";
import { badInput, type Desk, failed } from "./desk";
import { openModel } from "./model";
import { asModelFolder } from "./model-files";
import { askToKeep } from "./stored-models";

export function showWay(desk: Desk, way: Way | null): void {
  desk.stores.picker.setState({ way });
  if (way === "catalogue") void judgeCatalogue(desk);
}

/** The settings of the next run, or the usual ones while what is typed is no recipe. */
const fitting = ({ stores }: Desk) => ({
  recipe: stores.recipe.getState().recipe ?? { ...recipeDefaults, learningRate: 1e-3 },
  memoryBudget: stores.picker.getState().budget.bytes,
});

/** Asks nobody but this device. */
export async function judgeCatalogue(desk: Desk): Promise<void> {
  const { client, stores, held } = desk;
  if (stores.device.getState().device.state !== "ready") return;
  held.judging?.abort();
  const controller = new AbortController();
  held.judging = controller;
  const { signal } = controller;
  stores.picker.setState({ catalogue: busy });
  try {
    const entries = await client.call("listCatalogue", fitting(desk), { signal });
    if (!signal.aborted) stores.picker.setState({ catalogue: idle, entries });
  } catch (thrown) {
    if (!signal.aborted) stores.picker.setState({ catalogue: failed(thrown) });
  }
}

/** The first call that leaves this device; a later one takes its place. `variant` is chosen where it is among those found. */
export async function lookUp(desk: Desk, way: Way, address: string, variant: string | null = null): Promise<void> {
  const { client, stores, held } = desk;
  const asked = { way, address: address.trim() };
  held.lookingUp?.abort();
  if (asked.address === "") {
    stores.picker.setState({ lookUp: { ...badInput(strings.model.hub.empty), ...asked } });
    return;
  }
  const controller = new AbortController();
  held.lookingUp = controller;
  const { signal } = controller;
  stores.picker.setState({ lookUp: { state: "busy", ...asked } });
  try {
    const found = await client.call("lookUpModel", { address: asked.address }, { signal });
    if (signal.aborted) return;
    stores.picker.setState({ lookUp: idle });
    const wanted = found.variants.some(({ id, refusal }) => id === variant && refusal === null);
    await choose(desk, { kind: "found", found, variant: wanted ? variant : found.preferred });
  } catch (thrown) {
    if (!signal.aborted) stores.picker.setState({ lookUp: { ...failed(thrown), ...asked } });
  }
}

export const chooseEntry = (desk: Desk, { from, variant }: CatalogueModel): Promise<void> =>
  lookUp(desk, "catalogue", from, variant.id);

export function stopLookingUp({ stores, held }: Desk): void {
  held.lookingUp?.abort();
  stores.picker.setState({ lookUp: idle });
}

/** Dropped or picked files of a model. */
export async function chooseModelFiles(desk: Desk, files: readonly File[]): Promise<void> {
  if (files.length === 0) return;
  const folder = asModelFolder(files);
  const bytes = folder.files.reduce((sum, { blob }) => sum + blob.size, 0);
  desk.held.modelFiles = { kind: "files", ...folder };
  await choose(desk, { kind: "files", name: folder.name, files: folder.files.length, bytes });
}

export async function chooseStored(desk: Desk, { found }: CachedModel, variant: string): Promise<void> {
  if (found !== null) await choose(desk, { kind: "found", found, variant });
}

/** Goes on with a download that was cut short, in one step. */
export async function resumeStored(desk: Desk, model: CachedModel, variant: string): Promise<void> {
  void chooseStored(desk, model, variant);
  await openChosen(desk);
}

async function choose(desk: Desk, choice: Choice): Promise<void> {
  const { stores, held } = desk;
  if (stores.picker.getState().opening.state === "busy") return;
  held.lookingUp?.abort();
  held.outlining?.abort();
  if (choice.kind !== "files") held.modelFiles = null;
  stores.picker.setState({ ...noChoice, choice, way: null, lookUp: idle });
  await outline(desk);
}

export function closeChoice({ stores, held }: Desk): void {
  held.outlining?.abort();
  held.modelFiles = null;
  stores.picker.setState(noChoice);
}

export async function chooseVariant(desk: Desk, variant: string): Promise<void> {
  const { picker } = desk.stores;
  const { choice } = picker.getState();
  if (choice?.kind !== "found") return;
  picker.setState({ choice: { ...choice, variant }, outline: null, quantization: null, opening: idle });
  await outline(desk);
}

export const chooseQuantization = ({ stores }: Desk, quantization: Quantization | null): void =>
  stores.picker.setState({ quantization });

/** What the choice stands for now: what is whole on this device needs no connection. */
function chosenSource({ stores, held }: Desk): ModelSource | null {
  const { choice } = stores.picker.getState();
  if (choice === null) return null;
  if (choice.kind === "files") return held.modelFiles;
  const { found, variant } = choice;
  if (variant === null) return null;
  const kept = keptOf(stores.stored.getState().cached, found, variant);
  return kept?.whole === true ? { kind: "stored", key: kept.key, variant } : { kind: "found", model: found, variant };
}

/** Judges the choice; a later question takes the place of an earlier one, and the last answer stays until then. */
export async function outline(desk: Desk): Promise<void> {
  const { client, stores, held } = desk;
  const source = chosenSource(desk);
  held.outlining?.abort();
  if (source === null) return;
  const controller = new AbortController();
  held.outlining = controller;
  const { signal } = controller;
  stores.picker.setState({ outlining: busy });
  try {
    const value = await client.call("outlineModel", { source, ...fitting(desk) }, { signal });
    if (signal.aborted) return;
    stores.picker.setState(({ quantization }) => ({
      outlining: idle,
      outline: value,
      quantization: value.choices.some((offered) => offered.quantization === quantization) ? quantization : null,
    }));
  } catch (thrown) {
    if (!signal.aborted) stores.picker.setState({ outlining: failed(thrown), outline: null });
  }
}

/** Downloads what is not here yet, and opens it. */
export async function openChosen(desk: Desk): Promise<void> {
  const { choice, quantization } = desk.stores.picker.getState();
  const source = chosenSource(desk);
  if (choice === null || source === null) return;
  // Asked for once there is something to keep; browsers may clear downloads otherwise.
  if (source.kind === "found") void askToKeep();
  await openModel(desk, source, { name: choice.kind === "files" ? choice.name : choice.found.id, quantization });
}

/** Judges again a moment after a setting of the run or the memory changed. */
export function watchFit(desk: Desk): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const later = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const { choice, opening, way } = desk.stores.picker.getState();
      if (choice !== null && opening.state !== "busy") void outline(desk);
      if (way === "catalogue") void judgeCatalogue(desk);
    }, 400);
  };
  const leave = [
    desk.stores.recipe.subscribe(({ recipe }, before) => {
      if (recipe !== null && JSON.stringify(recipe) !== JSON.stringify(before.recipe)) later();
    }),
    desk.stores.picker.subscribe(({ budget }, before) => {
      if (budget.bytes !== before.budget.bytes) later();
    }),
  ];
  return () => {
    clearTimeout(timer);
    for (const unsubscribe of leave) unsubscribe();
  };
}
