/** Golden models on the GPU, and what training tests need around them. */

import type { PackedBatch } from "../../src/data/types";
import type { Device } from "../../src/engine/device";
import { readBlueprint } from "../../src/model/blueprint";
import { type LoadedModel, loadModel } from "../../src/model/load";
import { openWeights } from "../../src/model/weights/registry";
import type { ModelFiles } from "../../src/model/weights/types";
import type { SessionSizes } from "../../src/training/session";
import { goldenFolder } from "./golden";

async function openModel(device: Device, files: ModelFiles): Promise<LoadedModel> {
  const blueprint = await readBlueprint(files);
  return loadModel(device, blueprint, await openWeights(files, blueprint.tensors));
}

export const goldenModel = (device: Device, name: string): Promise<LoadedModel> =>
  openModel(device, goldenFolder(`${name}/model`));

/** Just large enough for these batches. */
export function sizesOf(batches: readonly PackedBatch[]): SessionSizes {
  const most = (size: (batch: PackedBatch) => number) => Math.max(...batches.map(size));
  return {
    maxTokens: most(({ ids }) => ids.length),
    maxTargets: most(({ targets }) => targets.length),
    maxSegment: most(({ positions }) => Math.max(...positions) + 1),
  };
}
