/**
 * A second opinion that needs no other file: our kernels on the user's own GPU against the plain twin of the network on the
 * CPU, which shares no kernel with them. Logits by the cached decoder; loss and gradient by a training session.
 */
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { PackedBatch } from "../data/types";
import type { Device } from "../engine/device";
import { Decoder } from "../model/generation/decoder";
import type { LoadedModel } from "../model/load";
import { initialLora } from "../model/lora";
import { meanLoss, relativeDifference, sameTop1 } from "../model/reference/compare";
import { chooseDirection, type TrainedModule, variantAt } from "../model/reference/direction";
import { chooseExtent, layerOf, withNarrowWindows } from "../model/reference/extent";
import { twinLogits } from "../model/reference/network";
import { adapterScale } from "./adapter";
import { defaultLearningRate, type Recipe, recipeDefaults } from "./recipe";
import { TrainingSession } from "./session";

export interface KernelCheck {
  readonly tokens: number;
  /** ‖Δ‖/‖reference‖ of the logits. */
  readonly relativeDifference: number;
  /** Share of tokens with the same likeliest next token; where the twin's best two are as close as the tolerance, either counts. */
  readonly top1Agreement: number;
  /** |Δ|/reference of the training loss. */
  readonly lossDifference: number;
  /** |Δ| of the derivative along one direction, over the root of the sum of squares of what each A and B adds to it. */
  readonly gradientDifference: number;
  readonly milliseconds: number;
  readonly agrees: boolean;
  /** One sentence where the two disagree: what, by how much, how much is allowed. */
  readonly reason: string | null;
  /** One sentence where a model is too large to check all of it. */
  readonly leftOut: string | null;
}

export interface KernelCheckOptions {
  /** At least 4 ids, one document; random ones where absent. */
  readonly ids?: readonly number[];
  /** What the CPU may compute, where the model leaves a choice; one or two seconds' work where absent. */
  readonly multiplyAdds?: number;
  readonly signal?: AbortSignal | undefined;
  /** In weights that the twin multiplied. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * What ours and the twin may differ by. Measured: float32 leaves 4e-7 in the logits and 1e-6 in the gradient of small models,
 * 1e-6 and 2e-5 with 30 layers, and a GPU's exp and division may be some units worse; rounding the softmax's weights to half
 * floats leaves 1e-4 and 9e-4; a wrong kernel leaves some per cent.
 */
const kernelTolerance = 1e-3;

const seed = 20240607;

/** Throws `ModelError` for ids that do not fit, `OutOfMemoryError`, `DeviceError`, and the signal's reason when aborted. */
export function checkKernels(
  device: Device,
  model: LoadedModel,
  options: KernelCheckOptions = {},
): Promise<KernelCheck> {
  return compareWithTwin(device, model, model, options);
}

/** `model` runs on the GPU and `reference` on the CPU; they are the same, unless a test plants a difference. */
export async function compareWithTwin(
  device: Device,
  model: LoadedModel,
  reference: LoadedModel,
  options: KernelCheckOptions = {},
): Promise<KernelCheck> {
  const started = performance.now();
  const { signal, onProgress } = options;
  const { tokens, firstLayer } = chooseExtent(model, options.ids ?? null, options.multiplyAdds);
  const generator = xoroshiro128plus(seed);
  const uniform = () => uniformFloat64(generator);
  const { vocabSize } = model.config;
  const ids = options.ids ?? Array.from({ length: tokens }, () => Math.floor(uniform() * vocabSize));
  const ours = withNarrowWindows(model, tokens);

  const logits = await cachedLogits(device, ours, ids);
  signal?.throwIfAborted();
  const trained = await trainedGradient(device, ours, ids, { firstLayer, uniform });
  signal?.throwIfAborted();
  const { modules, scale } = trained;
  const direction = chooseDirection(modules, uniform);
  const { step } = direction;
  const twins = await twinLogits(device, withNarrowWindows(reference, tokens), {
    ids,
    variants: [new Map(), variantAt(modules, direction, step, scale), variantAt(modules, direction, -step, scale)],
    signal,
    onProgress,
  });
  const [base = new Float64Array(), ahead = base, behind = base] = twins;
  const [lossAhead, lossBehind] = [meanLoss(ahead, ids), meanLoss(behind, ids)];
  // Where the adapter is, but for the square of the step.
  const loss = (lossAhead + lossBehind) / 2;
  const slope = (lossAhead - lossBehind) / (2 * step);
  const differences = {
    logits: relativeDifference(logits, base),
    loss: Math.abs(trained.loss - loss) / loss,
    gradient: Math.abs(slope - direction.derivative) / (direction.size || Math.abs(slope)),
  };
  const top1Agreement = sameTop1(logits, base, tokens, kernelTolerance);
  const reason = disagreement(differences, top1Agreement);
  return {
    tokens,
    relativeDifference: differences.logits,
    top1Agreement,
    lossDifference: differences.loss,
    gradientDifference: differences.gradient,
    milliseconds: performance.now() - started,
    agrees: reason === null,
    reason,
    leftOut: firstLayer === 0 ? null : leftOut(firstLayer, model.config.numLayers),
  };
}

/** The first half of the ids at once, the others one by one: [tokens, vocabulary]. */
async function cachedLogits(device: Device, model: LoadedModel, ids: readonly number[]): Promise<Float32Array> {
  const decoder = await Decoder.create(device, model, { capacity: ids.length, adapter: null });
  try {
    const half = Math.ceil(ids.length / 2);
    const logits = new Float32Array(ids.length * model.output.rows);
    logits.set(await decoder.appendAll(ids.slice(0, half), 0));
    for (let token = half; token < ids.length; token += 1) {
      logits.set(await decoder.append(ids.slice(token, token + 1), 0), token * model.output.rows);
    }
    return logits;
  } finally {
    decoder.destroy();
  }
}

interface Trained {
  readonly loss: number;
  readonly scale: number;
  /** Those of the layers that are checked. */
  readonly modules: readonly TrainedModule[];
}

/** Loss and gradients of one micro-batch with a random adapter. B is zero below `firstLayer`: the adapter does nothing there. */
async function trainedGradient(
  device: Device,
  model: LoadedModel,
  ids: readonly number[],
  { firstLayer, uniform }: { readonly firstLayer: number; readonly uniform: () => number },
): Promise<Trained> {
  const learningRate = defaultLearningRate(model.config.hiddenSize);
  const recipe: Recipe = { ...recipeDefaults, rank: 4, alpha: 8, learningRate };
  const targets = ids.length - 1;
  const sizes = { maxTokens: ids.length, maxTargets: targets, maxSegment: ids.length };
  const session = await TrainingSession.create(device, model, recipe, sizes);
  try {
    const adapters = initialLora(session.layout, uniform);
    for (const { module, b } of adapters) {
      if (layerOf(module) < firstLayer) continue;
      for (const index of b.keys()) b[index] = 0.1 * (uniform() - 0.5);
    }
    session.load(adapters);
    const step = { step: 0, epoch: 1, countedTokens: targets };
    await session.accumulate({ ...step, microBatches: [oneDocument(ids)] });
    const gradients = new Map((await session.gradients()).map((gradient) => [gradient.module, gradient]));
    // Nothing more is added: the update reads out the loss of what has been accumulated.
    const { loss } = await session.step({ ...step, microBatches: [] }, 0);
    const modules = adapters.flatMap((adapter) => {
      const gradient = gradients.get(adapter.module);
      return gradient && layerOf(adapter.module) >= firstLayer ? [{ adapter, gradient }] : [];
    });
    return { loss, scale: adapterScale(recipe), modules };
  } finally {
    session.destroy();
  }
}

function oneDocument(ids: readonly number[]): PackedBatch {
  const tokens = ids.length;
  return {
    ids: Uint32Array.from(ids),
    positions: Uint32Array.from(ids.keys()),
    segmentStart: new Uint32Array(tokens),
    segmentEnd: new Uint32Array(tokens).fill(tokens),
    targetIndices: Uint32Array.from({ length: tokens - 1 }, (_, token) => token),
    targets: Uint32Array.from(ids.slice(1)),
  };
}

function percent(share: number): string {
  const value = 100 * share;
  return `${value < 10 ? value.toPrecision(2) : value.toFixed(0)} %`;
}

function disagreement(
  { logits, loss, gradient }: Readonly<Record<"logits" | "loss" | "gradient", number>>,
  top1Agreement: number,
): string | null {
  const beyond = (what: string, difference: number) => {
    // What is no number is no agreement.
    if (difference <= kernelTolerance) return [];
    return [Number.isFinite(difference) ? `${what} by ${percent(difference)}` : `${what} (no number)`];
  };
  const found = [
    ...beyond("the logits", logits),
    ...(top1Agreement === 1 ? [] : [`the likeliest token at ${percent(1 - top1Agreement)} of the places`]),
    ...beyond("the training loss", loss),
    ...beyond("the gradient", gradient),
  ];
  if (found.length === 0) return null;
  return `What this GPU computes differs from what the CPU computes in ${found.join(", ")}, where ${percent(kernelTolerance)} is allowed; update the browser and the graphics driver, or use another machine.`;
}

function leftOut(firstLayer: number, numLayers: number): string {
  return `The gradients of the lower ${firstLayer} of ${numLayers} layers were not checked: on the CPU this would take too long for a model of this size.`;
}
