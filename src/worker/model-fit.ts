/** Whether a model can be trained here: the memory of each way to hold its weights, from the real plan, before any is taken. */
import type { Device } from "../engine/device";
import type { Blueprint } from "../model/architecture";
import { buffersOf, type PlannedModel, planModel } from "../model/planned-model";
import { isFloat, type Quantization, quantizations } from "../model/quantize/index";
import type { WeightSource } from "../model/weights/types";
import type { FrozenMatrix } from "../ops/lib/frozen";
import type { Recipe } from "../training/recipe";
import { type MemoryPlan, planMemory } from "../training/session";
import type { Fit, WeightChoice } from "./protocol";

export interface FitContext {
  readonly device: Device;
  readonly recipe: Recipe;
  /** Bytes of GPU memory that a run may take: WebGPU does not say how much there is. */
  readonly memoryBudget: number;
}

/** Share of the budget from which a fit is called tight. */
const tightShare = 0.8;

interface Judged {
  readonly choice: WeightChoice;
  readonly model: PlannedModel;
}

/** As the file has the weights. Throws `ModelError` where file and config do not fit. */
export function judgeAsItIs(blueprint: Blueprint, source: WeightSource, context: FitContext): Judged {
  return judged(blueprint, source, null, context);
}

/** As the file has the weights, and as they can be quantized on load. Throws `ModelError` as `judgeAsItIs`. */
export function weightChoices(blueprint: Blueprint, source: WeightSource, context: FitContext): WeightChoice[] {
  const asItIs = judgeAsItIs(blueprint, source, context);
  const names = blockMatrices(asItIs.model).some(isFloat) ? (Object.keys(quantizations) as Quantization[]) : [];
  const others = names.map((name) => judged(blueprint, source, name, context));
  return [asItIs, ...others].map(({ choice }) => choice);
}

/** The linear modules of the blocks, which hold most of a model: not embeddings, not learned positions. */
export function blockMatrices({ blueprint, matrices }: PlannedModel): FrozenMatrix[] {
  const targeted = (module: string) => blueprint.adapterTargets.includes(module.slice(module.lastIndexOf(".") + 1));
  return [...matrices].filter(([module]) => targeted(module)).map(([, matrix]) => matrix);
}

function judged(
  blueprint: Blueprint,
  source: WeightSource,
  quantization: Quantization | null,
  context: FitContext,
): Judged {
  const model = planModel(blueprint, source, quantization);
  const memory = plannedMemory(model, context);
  const facts = quantization && quantizations[quantization];
  return {
    model,
    choice: {
      quantization,
      label: facts?.label ?? "As in the file",
      description: facts?.description ?? `The weights stay in the form that the ${source.format} file has them in.`,
      weightBytes: model.bytes,
      memory,
      fit: judge(model, memory, context),
    },
  };
}

/** Of a run with full rows. */
function plannedMemory(model: PlannedModel, { device, recipe }: FitContext): MemoryPlan {
  const maxLength = Math.min(recipe.maxLength, model.config.maxPositions);
  const maxTokens = maxLength * recipe.batchSize;
  return planMemory(
    device,
    model,
    { ...recipe, targetModules: "all-linear" },
    {
      maxTokens,
      maxTargets: maxTokens,
      maxSegment: maxLength,
    },
  );
}

function judge(model: PlannedModel, memory: MemoryPlan, { device, memoryBudget }: FitContext): Fit {
  const limit = device.largestBuffer;
  const largest = model.tensors
    .flatMap(buffersOf)
    .reduce((most, buffer) => (buffer.bytes > most.bytes ? buffer : most));
  if (largest.bytes > limit) {
    return {
      verdict: "too-large",
      sentence: `${largest.label} needs ${gigabytes(largest.bytes)} in one piece; this GPU takes at most ${gigabytes(limit)}.`,
    };
  }
  if (memory.largestBuffer > limit) {
    return {
      verdict: "too-large",
      sentence: `Training needs ${gigabytes(memory.largestBuffer)} in one piece; this GPU takes at most ${gigabytes(limit)}. Shorter rows, smaller batches or a lower rank need less.`,
    };
  }
  return byBudget(memory.total, memoryBudget);
}

/** By its size alone, where no more is known. */
export function judgeBytes(bytes: number | null, memoryBudget: number): Fit {
  if (bytes === null) return { verdict: "unknown", sentence: "How large it is shows when it is downloaded." };
  if (bytes > memoryBudget) return byBudget(bytes, memoryBudget);
  return {
    verdict: "unknown",
    sentence: `Its weights take about ${gigabytes(bytes)}; what training adds shows when it is here.`,
  };
}

function byBudget(bytes: number, budget: number): Fit {
  const sentence = `Training needs about ${gigabytes(bytes)} of the ${gigabytes(budget)} of GPU memory you allow.`;
  if (bytes > budget) return { verdict: "too-large", sentence };
  return { verdict: bytes > tightShare * budget ? "tight" : "fits", sentence };
}

function gigabytes(bytes: number): string {
  return bytes < 1e9 ? `${Math.max(1, Math.round(bytes / 1e6))} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
