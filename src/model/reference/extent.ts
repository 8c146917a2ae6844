/** How much of a model is checked: as many tokens as a fixed amount of work on the CPU has room for, then as many layers. */
import type { Blueprint } from "../architecture";
import { ModelError } from "../errors";
import type { PlannedModel } from "../planned-model";

export interface Extent {
  readonly tokens: number;
  /** Gradients are checked from this layer on; the layers below are computed once and not for each variant. */
  readonly firstLayer: number;
}

/** Multiply-adds on the CPU: a second or two. */
const budget = 1.5e9;
const fewestTokens = 4;
const mostTokens = 24;
/** The base model and the adapter on both sides of where it is. */
const variants = 3;

/**
 * For the ids that are given, or for as many as fit: 4 and the last layer at least, whatever they cost. Throws `ModelError`
 * for ids that are too few, too many or none of the vocabulary's.
 */
export function chooseExtent(
  { config, matrices, output, blueprint }: PlannedModel,
  given: readonly number[] | null,
  multiplyAdds = budget,
): Extent {
  const { numLayers, maxPositions, vocabSize } = config;
  const byLayer = new Array<number>(numLayers).fill(0);
  for (const [module, { rows, columns }] of matrices) {
    if (!blueprint.adapterTargets.includes(module.slice(module.lastIndexOf(".") + 1))) continue;
    const layer = layerOf(module);
    byLayer[layer] = (byLayer[layer] ?? 0) + rows * columns;
  }
  const last = output.rows * output.columns;
  const all = byLayer.reduce((sum, weights) => sum + weights, last);
  const affordable = Math.floor(multiplyAdds / (variants * all));
  // One token has nothing to predict.
  const fewest = Math.max(2, Math.min(fewestTokens, maxPositions));
  const tokens = given?.length ?? Math.min(mostTokens, maxPositions, Math.max(fewest, affordable));
  if (tokens < fewest || tokens > maxPositions) {
    throw new ModelError(
      `The check has ${tokens} token ids; it takes from ${fewest} to the model's ${maxPositions} positions, give it others.`,
    );
  }
  const unknown = given?.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize);
  if (unknown !== undefined) {
    throw new ModelError(
      `The check has the token id ${unknown}; ids of this model are from 0 to ${vocabSize - 1}, give it others.`,
    );
  }
  let firstLayer = numLayers - 1;
  let above = last + (byLayer[firstLayer] ?? 0);
  while (firstLayer > 0) {
    const next = above + (byLayer[firstLayer - 1] ?? 0);
    if (tokens * (all + (variants - 1) * next) > multiplyAdds) break;
    above = next;
    firstLayer -= 1;
  }
  return { tokens, firstLayer };
}

/** The number in a module's path: "model.layers.3.mlp.up_proj", "transformer.h.3.attn.c_attn". */
export const layerOf = (module: string): number => Number(/\.(\d+)\./.exec(module)?.[1] ?? 0);

/** A window wider than half of the tokens would hardly show; on both sides it is made narrower. */
export function withNarrowWindows<Model extends PlannedModel>(model: Model, tokens: number): Model {
  const most = Math.ceil(tokens / 2);
  const forward: Blueprint["forward"] = (network) =>
    model.blueprint.forward({
      ...network,
      attention: (layer, q, k, v, options = {}) => {
        const window = options.window ? Math.min(options.window, most) : null;
        return network.attention(layer, q, k, v, { ...options, window });
      },
    });
  return { ...model, blueprint: { ...model.blueprint, forward } };
}
