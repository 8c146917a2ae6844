/** The calls about models that are not open yet: what an address stands for, whether a model fits, what is on this device. */
import type { Blueprint } from "../model/architecture";
import { parseBlueprint, readBlueprint } from "../model/blueprint";
import { ModelError } from "../model/errors";
import { planModel } from "../model/planned-model";
import { assumedSource } from "../model/weights/assumed";
import { openWeights } from "../model/weights/registry";
import type { WeightSource } from "../model/weights/types";
import { blockMatrices, type FitContext, judgeAsItIs, judgeBytes, weightChoices } from "./model-fit";
import type { ModelSlot } from "./model-slot";
import { openModelFolder } from "./model-sources";
import type { Fit, FoundModel, Handlers, ModelOutline } from "./protocol";

type ModelHandlers = Pick<
  Handlers,
  "lookUpModel" | "outlineModel" | "listCatalogue" | "storedModels" | "deleteStoredModel"
>;

/** Looking for another model is not what the page begins with. */
const hub = () => import("../hub/index");

export function modelHandlers(slot: ModelSlot, siteRoot: URL): ModelHandlers {
  const context = async (input: Pick<FitContext, "recipe" | "memoryBudget">): Promise<FitContext> => ({
    device: await slot.device(),
    recipe: input.recipe,
    memoryBudget: input.memoryBudget,
  });

  return {
    lookUpModel: async ({ address }, _, signal) => (await hub()).lookUp(address, { signal }),

    outlineModel: async ({ source, ...given }, emit, signal) => {
      const fitting = await context(given);
      if (source.kind === "found") return outlineFound(source.model, source.variant, fitting);
      const { files, release } = await openModelFolder(source, { siteRoot, emit, signal });
      try {
        const blueprint = await readBlueprint(files);
        const weights = await openWeights(files, blueprint.tensors);
        return outline(files.name, blueprint, weights, true, fitting);
      } finally {
        release();
      }
    },

    listCatalogue: async (given) => {
      const fitting = await context(given);
      const { cachedModels, catalogue } = await hub();
      const { models } = await cachedModels();
      return catalogue.map((entry) => {
        const blueprint = parseBlueprint(entry.config);
        const source = assumedSource(blueprint, { format: "", file: entry.variant.id, bytes: entry.variant.bytes });
        const stored = models.some(
          ({ id, variants }) => (id === entry.id || id === entry.from) && variants.some(({ finished }) => finished),
        );
        const { choice, model } = judgeAsItIs(blueprint, source, fitting);
        return {
          ...entry,
          parameters: model.parameters,
          stored,
          fit: orSmaller(choice.fit, blueprint, source, fitting),
        };
      });
    },

    storedModels: async () => (await hub()).cachedModels(),

    deleteStoredModel: async ({ key }) => {
      await (await hub()).deleteCached(key);
      return null;
    },
  };
}

/** A model that is too large as it is may fit with its weights in 4 bits. */
function orSmaller(fit: Fit, blueprint: Blueprint, source: WeightSource, context: FitContext): Fit {
  if (fit.verdict !== "too-large") return fit;
  const small = weightChoices(blueprint, source, context).find(({ quantization }) => quantization === "nf4");
  if (!small || small.fit.verdict === "too-large") return fit;
  return { ...small.fit, sentence: `With its weights in NF4: ${small.fit.sentence}` };
}

/** From the config and the variant's name; without a config, as of a GGUF file, from its size alone. */
function outlineFound(found: FoundModel, variantId: string, context: FitContext): ModelOutline {
  const variant = found.variants.find(({ id }) => id === variantId);
  if (!variant) throw new ModelError(`${found.id} has no variant ${variantId}; choose one of its list.`);
  // A GGUF file brings its own config, whatever lies beside it.
  if (found.config === null || variant.format === "gguf") {
    const fit = judgeBytes(variant.bytes, context.memoryBudget);
    const asItIs = { quantization: null, label: "As in the file", description: variant.label, memory: null, fit };
    return {
      name: found.id,
      modelType: null,
      parameters: null,
      storedForm: variant.label,
      exact: false,
      choices: [{ ...asItIs, weightBytes: variant.bytes ?? 0 }],
    };
  }
  const blueprint = parseBlueprint(found.config);
  const { format, bytes } = variant;
  return outline(found.id, blueprint, assumedSource(blueprint, { format, file: variant.id, bytes }), false, context);
}

function outline(
  name: string,
  blueprint: Blueprint,
  source: WeightSource,
  exact: boolean,
  context: FitContext,
): ModelOutline {
  const model = planModel(blueprint, source);
  const { parameters } = model;
  const { modelType } = blueprint.config;
  const storedForm = blockMatrices(model)[0]?.form ?? "f32";
  return { name, modelType, parameters, storedForm, exact, choices: weightChoices(blueprint, source, context) };
}
