/** Runs as files: one, or all in one, and adapters coming in. */
import type { RunId } from "../../worker/protocol";
import { strings } from "../strings";
import { type Desk, failed } from "./desk";
import { refreshLibrary } from "./library";
import { saveFile } from "./save-file";

const text = strings.library;

export async function downloadRun({ client, stores }: Desk, run: RunId): Promise<void> {
  stores.library.setState({ working: run, error: null });
  try {
    const { fileName, blob } = await client.call("exportAdapter", { run, target: "peft" });
    saveFile(fileName, blob);
  } catch (thrown) {
    stores.library.setState({ error: failed(thrown).error });
  } finally {
    stores.library.setState({ working: null });
  }
}

/** All of them in one zip. */
export async function packRuns({ client, stores }: Desk): Promise<void> {
  if (stores.library.getState().packing !== null) return;
  const { runs } = stores.library.getState();
  stores.library.setState({ packing: { phase: "", done: 0, total: runs.length }, error: null, said: "" });
  try {
    const { fileName, blob, leftOut } = await client.call(
      "exportRuns",
      { runs: null },
      { onEvent: (packing) => stores.library.setState({ packing }) },
    );
    saveFile(fileName, blob);
    const packed = text.storage.packed(runs.length - leftOut.length);
    const missing = leftOut.length === 0 ? "" : ` ${text.storage.leftOut(leftOut.map(({ name }) => name))}`;
    stores.library.setState({ said: packed + missing });
  } catch (thrown) {
    stores.library.setState({ error: failed(thrown).error });
  } finally {
    stores.library.setState({ packing: null });
  }
}

/** A PEFT folder's files, or zips of such folders; those that were exported here come back with their history. */
export async function importAdapters(desk: Desk, files: readonly File[]): Promise<void> {
  const { client, stores } = desk;
  if (files.length === 0 || stores.library.getState().importing) return;
  stores.library.setState({ importing: true, importError: null, said: "" });
  try {
    const { runs, refused, notes } = await client.call("importAdapters", {
      files: files.map((blob) => ({ name: pathOf(blob), blob })),
    });
    stores.library.setState({
      said: [text.importing.done(runs.map(({ name }) => name)), ...notes].join(" "),
      importError: refused.length === 0 ? null : { code: "bad-input", message: refused.join(" "), data: {} },
    });
    await refreshLibrary(desk, runs[0]?.id);
  } catch (thrown) {
    stores.library.setState({ importError: failed(thrown).error });
  } finally {
    stores.library.setState({ importing: false });
  }
}

/** With the folder's name, where one was picked or dropped. */
function pathOf(file: File): string {
  const dropped = "path" in file && typeof file.path === "string" ? file.path : "";
  return (file.webkitRelativePath || dropped || file.name).replace(/^\.?\/+/, "");
}
