/** Opening a model folder and checking its numbers. */
import type { ModelSource } from "../../worker/protocol";
import { busy, idle } from "../stores/load";
import { adoptModel } from "../stores/recipe";
import { noAnswer } from "../stores/trial";
import { strings } from "../strings";
import { inspect } from "./data";
import { badInput, type Desk, embeddedModel, failed } from "./desk";

export const openEmbeddedModel = (desk: Desk): Promise<void> =>
  openModel(desk, { kind: "embedded", id: embeddedModel });

export async function openModel(desk: Desk, source: ModelSource): Promise<void> {
  const { client, stores, held } = desk;
  held.model = source;
  const name = source.kind === "embedded" ? source.id : source.name;
  stores.model.setState({ name, embedded: source.kind === "embedded", model: busy, selfCheck: idle });
  stores.trial.setState({ base: noAnswer, tuned: noAnswer, tunedBy: null, error: null });
  const current = (): boolean => held.model === source;
  try {
    const info = await client.call(
      "openModel",
      { source },
      { onEvent: (progress) => current() && stores.model.setState({ model: { state: "busy", progress } }) },
    );
    if (!current()) return;
    stores.model.setState({ model: { state: "ready", value: info } });
    stores.trial.setState({ asChat: info.hasChatTemplate });
    adoptModel(stores.recipe, info.loraTargets, info.defaultLearningRate);
    await inspect(desk);
  } catch (error) {
    if (current()) stores.model.setState({ model: failed(error) });
  }
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
    desk.stores.model.setState({ embedded: false, model: badInput(strings.errors.emptyFolder) });
    return;
  }
  await openModel(desk, { kind: "files", name: shared ? top : "model folder", files: named });
}

function relativePath(file: File): string {
  const dropped = "path" in file && typeof file.path === "string" ? file.path : "";
  return (file.webkitRelativePath || dropped || file.name).replace(/^\.?\/+/, "");
}

export async function selfCheck({ client, stores }: Desk): Promise<void> {
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
