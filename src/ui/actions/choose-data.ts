/** Choosing a dataset: a sample, files, a folder, what was pasted; and its held-out rows. */
import { dataDefaults } from "../../worker/client";
import type { DataFile } from "../../worker/protocol";
import { firstSample, type Sample } from "../samples";
import { nothingSeen } from "../stores/data";
import { strings } from "../strings";
import { inspect } from "./data";
import { badInput, type Desk, type HeldFiles } from "./desk";

const endings = ["jsonl", "json", "ndjson", "csv", "tsv", "parquet", "txt", "md", "yml", "yaml"];
const tables = /\.(jsonl|json|ndjson|csv|tsv|parquet)(\.gz)?$/i;
const readable = new RegExp(`\\.(${endings.join("|")})(\\.gz)?$`, "i");
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
    stores.data.setState({ sample: sample.id, options: dataDefaults, heldOutName: heldOut.name });
    await take(desk, { name: data.name, files: [data] });
  } catch {
    if (held.choice === choice) stores.data.setState({ choiceError: badInput(strings.errors.sampleMissing).error });
  }
}

/** Dropped or picked files; a folder's are those of its own and of the folders in it. */
export async function chooseFiles(desk: Desk, files: readonly File[]): Promise<void> {
  const { stores, held } = desk;
  const chosen = asDataset(files);
  if (typeof chosen === "string") {
    if (files.length > 0) stores.data.setState({ choiceError: badInput(chosen).error });
    return;
  }
  held.choice++;
  if (stores.data.getState().sample !== null) forgetHeldOut(desk);
  // What was said about the columns of other files does not hold for these.
  stores.data.setState(({ options }) => ({
    sample: null,
    options: { ...options, format: null, mapping: null, skip: [] },
  }));
  await take(desk, chosen);
}

/** Rows or JSON text from the clipboard. */
export async function pasteText(desk: Desk, text: string): Promise<void> {
  if (text.trim() === "") {
    desk.stores.data.setState({ choiceError: badInput(strings.data.clipboardEmpty).error });
    return;
  }
  await chooseFiles(desk, [new File([text], strings.data.clipboardName)]);
}

/** A held-out file, or null for none. It takes the place of a share of the rows. */
export async function chooseHeldOut(desk: Desk, files: readonly File[] | null): Promise<void> {
  const { stores, held } = desk;
  const chosen = files === null ? null : asDataset(files);
  if (typeof chosen === "string") {
    stores.data.setState({ choiceError: badInput(chosen).error });
    return;
  }
  held.heldOut = chosen;
  const { options } = stores.data.getState();
  stores.data.setState({ choiceError: null, heldOutName: chosen?.name ?? null, options: { ...options, evalShare: 0 } });
  await inspect(desk);
}

/** A share of the rows, held out by seed; 0 is none. It takes the place of a held-out file. */
export async function holdOutShare(desk: Desk, evalShare: number): Promise<void> {
  forgetHeldOut(desk);
  desk.stores.data.setState(({ options }) => ({ options: { ...options, evalShare } }));
  await inspect(desk);
}

function forgetHeldOut({ stores, held }: Desk): void {
  held.heldOut = null;
  stores.data.setState({ heldOutName: null });
}

async function take(desk: Desk, data: HeldFiles): Promise<void> {
  const { stores, held } = desk;
  held.inspecting?.abort();
  held.pageTurn++;
  held.data = data;
  const bytes = data.files.reduce((sum, { blob }) => sum + blob.size, 0);
  stores.data.setState(({ view }) => ({ name: data.name, bytes, choiceError: null, ...nothingSeen(view) }));
  await inspect(desk);
}

/** The files that make the dataset, in the order of their names, or a sentence why there are none. */
function asDataset(files: readonly File[]): HeldFiles | string {
  const entries = files.map((blob): DataFile => ({ name: relativePath(blob), blob }));
  const paths = entries.map(({ name }) => name.split("/"));
  const folder = paths.some((path) => path.length > 1);
  const top = paths[0]?.[0] ?? "";
  const oneTop = folder && paths.every((path) => path.length > 1 && path[0] === top);
  // A single file is taken whatever it is called: its content says what it is.
  const usable = entries.length === 1 ? entries : entries.filter(({ name }) => usableName(name));
  // Beside tables, text is description.
  const rows = usable.some(({ name }) => tables.test(name)) ? usable.filter(({ name }) => tables.test(name)) : usable;
  const chosen = folder ? rows : usable;
  if (chosen.length === 0) return strings.data.noReadableFile(files.length);
  if (chosen.length > mostFiles) return strings.data.tooManyFiles(chosen.length, mostFiles);
  const named = chosen
    .map(({ name, blob }) => ({ name: oneTop ? name.slice(name.indexOf("/") + 1) : name, blob }))
    .sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  const [first] = named;
  const name = named.length === 1 && first !== undefined ? first.name : oneTop ? top : strings.data.files(named.length);
  return { name, files: named };
}

const usableName = (name: string): boolean =>
  readable.test(name) && !sidecar.test(name) && !name.split("/").some((part) => part.startsWith("."));

function relativePath(file: File): string {
  const dropped = "path" in file && typeof file.path === "string" ? file.path : "";
  return (file.webkitRelativePath || dropped || file.name).replace(/^\.?\/+/, "");
}
