/** Opening a model folder and checking its numbers. */
import type { ModelSource } from "../../worker/protocol";
import { pickRun } from "../stores/library";
import { busy, idle } from "../stores/load";
import { adoptModel } from "../stores/recipe";
import { noAnswer } from "../stores/trial";
import { strings } from "../strings";
import { inspect } from "./data";
import { badInput, type Desk, embeddedModel, failed, userOfGpu } from "./desk";

export const openEmbeddedModel = (desk: Desk): Promise<void> =>
  openModel(desk, { kind: "embedded", id: embeddedModel });

/** The last choice wins: an opening still under way is given up, and what it says from then on is not heard. */
export async function openModel(desk: Desk, source: ModelSource): Promise<void> {
  const { client, stores, held } = desk;
  giveUpOpening(desk);
  const controller = new AbortController();
  const { signal } = controller;
  held.opening = controller;
  held.model = source;
  const name = source.kind === "embedded" ? source.id : source.name;
  stores.model.setState({ name, embedded: source.kind === "embedded", model: busy, selfCheck: idle });
  stores.trial.setState({ base: noAnswer, tuned: noAnswer, tunedBy: null, error: null });
  try {
    const info = await client.call(
      "openModel",
      { source },
      {
        signal,
        onEvent: (progress) => signal.aborted || stores.model.setState({ model: { state: "busy", progress } }),
      },
    );
    if (signal.aborted) return;
    const model = { state: "ready", value: info } as const;
    adoptModel(stores.recipe, info);
    stores.model.setState({ model });
    stores.library.setState(({ runs, selected }) => ({ selected: pickRun(runs, selected, model) }));
    await inspect(desk);
  } catch (error) {
    if (!signal.aborted) stores.model.setState({ model: failed(error) });
  } finally {
    if (held.opening === controller) held.opening = null;
  }
}

/** The look into the dataset ends too: it was made with the model that goes. */
function giveUpOpening({ stores, held }: Desk): void {
  held.opening?.abort();
  held.opening = null;
  held.inspecting?.abort();
  if (stores.data.getState().info.state === "busy") stores.data.setState({ info: idle });
}

/** A dropped or picked folder. Paths lose the folder's own name; hidden files are left out. */
export async function openFolder(desk: Desk, files: readonly File[]): Promise<void> {
  const entries = files.map((blob) => ({ path: relativePath(blob), blob }));
  const parts = entries.map(({ path }) => path.split("/"));
  const top = parts[0]?.[0];
  const shared = top !== undefined && parts.every((path) => path.length > 1 && path[0] === top);
  const named = entries
    .map(({ path, blob }) => ({ path: shared ? path.slice(path.indexOf("/") + 1) : path, blob }))
    .filter(({ path }) => !path.split("/").some((part) => part.startsWith(".")));
  if (named.length === 0) {
    giveUpOpening(desk);
    desk.stores.model.setState({ embedded: false, model: badInput(strings.errors.emptyFolder) });
    return;
  }
  await openModel(desk, { kind: "files", name: shared ? top : "model folder", files: named });
}

function relativePath(file: File): string {
  const dropped = "path" in file && typeof file.path === "string" ? file.path : "";
  return (file.webkitRelativePath || dropped || file.name).replace(/^\.?\/+/, "");
}

export async function selfCheck(desk: Desk): Promise<void> {
  const { client, stores } = desk;
  if (userOfGpu(desk) !== null) return;
  stores.model.setState({ selfCheck: busy });
  try {
    const value = await client.call(
      "selfCheck",
      {},
      { onEvent: (progress) => stores.model.setState({ selfCheck: { state: "busy", progress } }) },
    );
    stores.model.setState({ selfCheck: { state: "ready", value } });
  } catch (error) {
    stores.model.setState({ selfCheck: failed(error) });
  }
}
