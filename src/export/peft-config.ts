/** adapter_config.json as PEFT 0.21 writes it for a plain LoRA: all of its keys, so that no reader falls back to a default of its own. */
import type { AdapterConfig } from "../training/adapter";

/** A Python float: written with a point even where it is whole. */
class PythonFloat {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

type Value = null | boolean | number | string | PythonFloat | readonly Value[] | { readonly [key: string]: Value };

export interface PeftConfigOptions {
  readonly revision: string | null;
  /** The adapted modules are `Conv1D`s. A and B lie the same way; PEFT transposes when it merges. */
  readonly fanInFanOut?: boolean;
}

export function peftConfigText(config: AdapterConfig, { revision, fanInFanOut = false }: PeftConfigOptions): string {
  return `${pythonJson({
    alora_invocation_tokens: null,
    alpha_pattern: {},
    arrow_config: null,
    auto_mapping: null,
    base_model_name_or_path: config.baseModel,
    bias: "none",
    corda_config: null,
    ensure_weight_tying: false,
    eva_config: null,
    exclude_modules: null,
    fan_in_fan_out: fanInFanOut,
    inference_mode: true,
    init_lora_weights: true,
    kasa_config: null,
    layer_replication: null,
    layers_pattern: null,
    layers_to_transform: null,
    loftq_config: {},
    lora_alpha: config.alpha,
    lora_bias: false,
    lora_dropout: new PythonFloat(config.dropout),
    lora_ga_config: null,
    megatron_config: null,
    megatron_core: "megatron.core",
    modules_to_save: null,
    monteclora_config: null,
    peft_type: "LORA",
    peft_version: "0.21.0",
    qalora_group_size: 16,
    r: config.rank,
    rank_pattern: {},
    revision,
    target_modules: config.targetModules.toSorted(),
    target_parameters: null,
    task_type: "CAUSAL_LM",
    trainable_token_indices: null,
    use_bdlora: null,
    use_dora: false,
    use_qalora: false,
    use_rslora: config.rslora,
    velora_config: null,
  })}\n`;
}

/** Python's json.dumps(indent=2, sort_keys=True). */
function pythonJson(value: Value, indent = ""): string {
  if (value instanceof PythonFloat) return Number.isInteger(value.value) ? value.value.toFixed(1) : String(value.value);
  if (typeof value === "string") {
    return JSON.stringify(value).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  }
  if (value === null || typeof value !== "object") return String(value);
  const inner = `${indent}  `;
  if (isList(value)) {
    if (value.length === 0) return "[]";
    return `[\n${value.map((item) => inner + pythonJson(item, inner)).join(",\n")}\n${indent}]`;
  }
  const keys = Object.keys(value).toSorted();
  if (keys.length === 0) return "{}";
  return `{\n${keys.map((key) => `${inner}${JSON.stringify(key)}: ${pythonJson(value[key] ?? null, inner)}`).join(",\n")}\n${indent}}`;
}

function isList(value: object): value is readonly Value[] {
  return Array.isArray(value);
}
