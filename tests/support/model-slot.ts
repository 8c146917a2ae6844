/** Opens a model in a worker's model slot, as the studio does. */
import type { ModelSlot } from "../../src/worker/model-slot";
import type { ModelInfo, ModelSource } from "../../src/worker/protocol";

export async function openIn(slot: ModelSlot, source: ModelSource): Promise<ModelInfo> {
  const ignore = (): void => undefined;
  const { signal } = new AbortController();
  return slot.load(await slot.prepare(source, ignore, signal), null, ignore, signal);
}
