/** A PEFT adapter folder: adapter_model.safetensors, adapter_config.json and a model card. */
import type { Adapter } from "../training/adapter";
import { adapterFault } from "./check";
import { AdapterError } from "./errors";
import { modelCard } from "./model-card";
import { peftConfigText } from "./peft-config";
import { type FileTensor, safetensorsBlob } from "./safetensors-file";
import type { ExportContext, ExportFile, ExportTarget } from "./types";

/** Where transformers looks for a template beside a tokenizer. */
export const chatTemplateFile = "chat_template.jinja";

/** An adapter that is asked in another template than it learned answers badly: its own goes along. */
function templateFile({ chatTemplate }: ExportContext): ExportFile[] {
  if (chatTemplate === undefined || chatTemplate === null) return [];
  return [{ path: chatTemplateFile, blob: new Blob([chatTemplate], { type: "text/plain" }) }];
}

/** What PEFT puts in front of a module's path in the base model. */
export const peftPrefix = "base_model.model.";
export const peftConfigFile = "adapter_config.json";
export const peftWeightsFile = "adapter_model.safetensors";

export const peft: ExportTarget = {
  id: "peft",
  label: "PEFT adapter (Hugging Face)",
  refuse: (adapter: Adapter, { base }: ExportContext) => adapterFault(adapter, base),
  async write(adapter, context) {
    const fault = adapterFault(adapter, context.base);
    if (fault !== null) throw new AdapterError(fault);
    const { config, modules } = adapter;
    const fanInFanOut = modules.some(({ module }) => context.base.modules.get(module)?.conv1d === true);
    const tensors = modules.flatMap(({ module, inFeatures, outFeatures, a, b }): FileTensor[] => [
      { name: `${peftPrefix}${module}.lora_A.weight`, shape: [config.rank, inFeatures], data: a },
      { name: `${peftPrefix}${module}.lora_B.weight`, shape: [outFeatures, config.rank], data: b },
    ]);
    return [
      {
        path: peftConfigFile,
        blob: new Blob([peftConfigText(config, { revision: context.base.revision, fanInFanOut })], {
          type: "application/json",
        }),
      },
      { path: peftWeightsFile, blob: safetensorsBlob(tensors, { format: "pt" }) },
      ...templateFile(context),
      { path: "README.md", blob: new Blob([modelCard(adapter, context)], { type: "text/markdown" }) },
    ];
  },
};
