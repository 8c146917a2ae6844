/** Choosing a dataset: a sample, files, a folder, what was pasted; and its held-out rows. */
import { dataDefaults } from "../../worker/client";
import type { DataFile } from "../../worker/protocol";
import { goTo } from "../go-to";
import { firstSample, type Sample } from "../samples";
import { nothingSeen } from "../stores/data";
import { strings } from "../strings";
import { inspect } from "./data";
import { badInput, type Desk, type HeldFiles } from "./desk";

const tableEndings = ["jsonl", "ndjson", "jsonlines", "json", "csv", "tsv", "tab", "psv", "parquet"];
const textEndings = ["txt", "text", "md", "markdown", "rst", "tex", "log", "yml", "yaml"];
const endings = [...tableEndings, ...textEndings];
const ends = (wanted: readonly string[]): RegExp => new RegExp(`\\.(${wanted.join("|")})(\\.gz)?$`, "i");
const tables = ends(tableEndings);
const readable = ends(endings);
/** Files that dataset folders carry beside their rows. */
const sidecar = /(^|\/)(readme(\.\w+)?|licen[cs]e(\.\w+)?|dataset_infos?\.json|state\.json)$/i;
/** More files than this are a mistake: a home folder, say. */
const mostFiles = 2000;

/** For the file picker, which cannot look inside. */
export const acceptedFiles = [...endings.map((ending) => `.${ending}`), ".gz"].join(",");

export async function chooseSample(desk: Desk, sample: Sample = firstSample): Promise<void> {
  const { environment, stores, held } = desk;
  const choice = ++held.choice;
  try {
    const { data, heldOut } = await environment.loadSample(sample);
    if (held.choice !== choice) return;
    held.heldOut = { name: heldOut.name, files: [heldOut] };
    held.offered = { data: [], heldOut: [] };
    stores.data.setState({ sample: sample.id, options: dataDefaults, heldOutName: heldOut.name, heldOutLeftOut: [] });
    await take(desk, { name: data.name, files: [data], leftOut: [] });
  } catch {
    if (held.choice === choice) stores.data.setState({ choiceError: badInput(strings.errors.sampleMissing).error });
  }
}

/** Dropped or picked files; a folder's are those of its own and of the folders in it. `all`: whatever they are called. */
export async function chooseFiles(desk: Desk, files: readonly File[], all = false): Promise<void> {
  const { stores, held } = desk;
  const chosen = asDataset(files, all);
  if (typeof chosen === "string") {
    if (files.length > 0) stores.data.setState({ choiceError: badInput(chosen).error });
    if (files.length > 0) toData(desk);
    return;
  }
  held.choice++;
  toData(desk);
  held.offered = { ...held.offered, data: files };
  if (stores.data.getState().sample !== null) forgetHeldOut(desk);
  // What was said about the columns of other files does not hold for these.
  stores.data.setState(({ options }) => ({
    sample: null,
    options: { ...options, format: null, mapping: null, skip: [] },
  }));
  await take(desk, chosen);
}

/** From the start one's own files lead to Data, where it is told what they were taken for, or why they were not. */
function toData({ stores }: Desk): void {
  if (stores.route.getState().step === "start") goTo("data");
}

/** Rows or JSON text from the clipboard. */
export async function pasteText(desk: Desk, text: string): Promise<void> {
  if (text.trim() === "") {
    desk.stores.data.setState({ choiceError: badInput(strings.data.clipboardEmpty).error });
    toData(desk);
    return;
  }
  await chooseFiles(desk, [new File([text], strings.data.clipboardName)]);
}

/** A held-out file, or null for none. It takes the place of a share of the rows. */
export async function chooseHeldOut(desk: Desk, files: readonly File[] | null, all = false): Promise<void> {
  const { stores, held } = desk;
  const chosen = files === null ? null : asDataset(files, all);
  if (typeof chosen === "string") {
    stores.data.setState({ choiceError: badInput(chosen).error });
    return;
  }
  held.heldOut = chosen && { name: chosen.name, files: chosen.files };
  held.offered = { ...held.offered, heldOut: files ?? [] };
  const { options } = stores.data.getState();
  stores.data.setState({
    choiceError: null,
    heldOutName: chosen?.name ?? null,
    heldOutLeftOut: chosen?.leftOut ?? [],
    options: { ...options, evalShare: 0 },
  });
  await inspect(desk);
}

/** The files of the last choice that were left out for their names, with the others. */
export function takeLeftOut(desk: Desk, place: "data" | "heldOut"): Promise<void> {
  const choose = place === "data" ? chooseFiles : chooseHeldOut;
  return choose(desk, desk.held.offered[place], true);
}

/** A share of the rows, held out by seed; 0 is none. It takes the place of a held-out file. */
export async function holdOutShare(desk: Desk, evalShare: number): Promise<void> {
  forgetHeldOut(desk);
  desk.stores.data.setState(({ options }) => ({ options: { ...options, evalShare } }));
  await inspect(desk);
}

function forgetHeldOut({ stores, held }: Desk): void {
  held.heldOut = null;
  held.offered = { ...held.offered, heldOut: [] };
  stores.data.setState({ heldOutName: null, heldOutLeftOut: [] });
}

async function take(desk: Desk, { name, files, leftOut }: Chosen): Promise<void> {
  const { stores, held } = desk;
  held.inspecting?.abort();
  held.pageTurn++;
  held.data = { name, files };
  const bytes = files.reduce((sum, { blob }) => sum + blob.size, 0);
  stores.data.setState(({ view }) => ({ name, bytes, leftOut, choiceError: null, ...nothingSeen(view) }));
  await inspect(desk);
}

interface Chosen extends HeldFiles {
  /** Paths of the files that were not taken. */
  readonly leftOut: readonly string[];
}

/** The files that make the dataset, in the order of their names, or a sentence why there are none. */
function asDataset(files: readonly File[], all: boolean): Chosen | string {
  const given = files.map((blob): DataFile => ({ name: relativePath(blob), blob }));
  // A single file is taken whatever it is called: its content says what it is. Hidden files are never meant.
  const entries = given.length === 1 ? given : given.filter(({ name }) => !hidden(name));
  const folder = entries.some(({ name }) => name.includes("/"));
  const top = entries[0]?.name.split("/")[0] ?? "";
  const oneTop = folder && entries.every(({ name }) => name.startsWith(`${top}/`));
  const chosen = all || given.length === 1 ? entries : usable(entries, folder);
  if (chosen.length === 0) return strings.data.noReadableFile(files.length);
  if (chosen.length > mostFiles) return strings.data.tooManyFiles(chosen.length, mostFiles);
  const inside = (name: string): string => (oneTop ? name.slice(top.length + 1) : name);
  const named = chosen.map(({ name, blob }) => ({ name: inside(name), blob })).sort((a, b) => inOrder(a.name, b.name));
  const taken = new Set(chosen);
  const leftOut = entries.filter((entry) => !taken.has(entry)).map(({ name }) => inside(name));
  const [first] = named;
  const name = named.length === 1 && first !== undefined ? first.name : oneTop ? top : strings.data.files(named.length);
  return { name, files: named, leftOut: leftOut.sort(inOrder) };
}

/** Of several files, those that look like data. In a folder, text beside tables is description. */
function usable(entries: readonly DataFile[], folder: boolean): readonly DataFile[] {
  const found = entries.filter(
    ({ name }) => !sidecar.test(name) && (readable.test(name) || (!folder && !name.includes("."))),
  );
  const rows = found.filter(({ name }) => tables.test(name));
  return folder && rows.length > 0 ? rows : found;
}

const hidden = (name: string): boolean => name.split("/").some((part) => part.startsWith("."));

const inOrder = (a: string, b: string): number => a.localeCompare(b, "en", { numeric: true });

function relativePath(file: File): string {
  const dropped = "path" in file && typeof file.path === "string" ? file.path : "";
  return (file.webkitRelativePath || dropped || file.name).replace(/^\.?\/+/, "");
}
