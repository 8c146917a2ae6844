/** config.json of a model folder as the blueprint of its network, with the stop tokens of generation_config.json. */
import type { Blueprint } from "./architecture";
import { architectures } from "./architectures/index";
import { ConfigFields } from "./config/fields";
import { readJson } from "./folder";
import type { ModelFiles } from "./weights/types";

interface AdapterModuleShape {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly conv1d?: boolean;
}

const configFile = "config.json";
const generationFile = "generation_config.json";
const maxBytes = 4 * 1024 * 1024;

/** Throws `ModelError` naming the field and its value where it is missing, out of range or asks for something not built. */
export function parseBlueprint(json: unknown): Blueprint {
  const fields = new ConfigFields(json, configFile);
  const architecture = architectures.get(fields.text("model_type"));
  if (!architecture) {
    throw fields.error(
      "model_type",
      `one of the supported ${[...architectures.keys()].join(", ")}; pick another model`,
    );
  }
  return architecture.blueprint(fields);
}

/** The linear modules that an adapter may sit on, by Hugging Face path, in block order. */
export function adapterModules({ tensors, adapterTargets }: Blueprint): ReadonlyMap<string, AdapterModuleShape> {
  const modules = new Map<string, AdapterModuleShape>();
  for (const { name, shape, conv1d } of tensors) {
    const [outFeatures, inFeatures] = shape;
    const module = name.replace(/\.weight$/, "");
    if (inFeatures === undefined || !adapterTargets.includes(module.slice(module.lastIndexOf(".") + 1))) continue;
    modules.set(module, { inFeatures, outFeatures, ...(conv1d ? { conv1d } : {}) });
  }
  return modules;
}

/** Reads config.json, and generation_config.json where there is one. */
export async function readBlueprint(files: ModelFiles): Promise<Blueprint> {
  const blueprint = parseBlueprint(await readJson(files, configFile, maxBytes));
  if (!files.paths.includes(generationFile)) return blueprint;
  const generation = new ConfigFields(await readJson(files, generationFile, maxBytes), generationFile);
  const { config } = blueprint;
  const eosTokenIds = [...new Set([...config.eosTokenIds, ...generation.ids("eos_token_id")])];
  return { ...blueprint, config: { ...config, eosTokenIds } };
}
