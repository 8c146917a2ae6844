/** From an ONNX exporter's node and initializer names to Hugging Face tensor names. */

/** "/model/layers.0/self_attn/q_proj/MatMul_Q4" → "model.layers.0.self_attn.q_proj"; null where the name is no module path. */
export function moduleOfNode(node: string): string | null {
  if (!/^(\/[A-Za-z0-9_.]{1,200}){2,12}$/.test(node)) return null;
  return selfAttention(node.split("/").slice(1, -1).join("."));
}

/**
 * The Hugging Face name of a float initializer; null for constants and for the parts of quantized weights.
 * Names of ONNX Runtime's model builder are translated: "attn", "q_proj.Add.bias", and the final norm, which it numbers as one
 * layer more than there are.
 */
export function tensorOfInitializer(name: string, layers: number): string | null {
  if (
    !/^(model|lm_head)\.[A-Za-z0-9_.]{1,300}$/.test(name) ||
    !/\.(weight|bias)$/.test(name) ||
    name.includes(".MatMul.")
  )
    return null;
  if (name === `model.layers.${layers}.final_norm_layernorm.weight`) return "model.norm.weight";
  return selfAttention(name.replace(/\.Add\.bias$/, ".bias"));
}

function selfAttention(path: string): string {
  return path.replace(/^(model\.layers\.\d+)\.attn\./, "$1.self_attn.");
}
