/** From an ONNX exporter's node and initializer names to Hugging Face tensor names. */

/** "/model/layers.0/self_attn/q_proj/MatMul_Q4" → "model.layers.0.self_attn.q_proj"; null where the name is no module path. */
export function moduleOfNode(node: string): string | null {
  if (!/^(\/[A-Za-z0-9_.]{1,200}){2,12}$/.test(node)) return null;
  // Fused nodes keep the operator's name before their own: "/lm_head/MatMul/MatMulAddFusion".
  return canonical(operatorless(node.split("/").slice(1, -1).join(".")));
}

/** The Hugging Face name of a float initializer; null for constants and for the parts of quantized weights. */
export function tensorOfInitializer(name: string): string | null {
  const parts = /^([A-Za-z_][A-Za-z0-9_.]{0,300})\.(weight|bias)$/.exec(name);
  return parts ? `${canonical(operatorless(parts[1] ?? ""))}.${parts[2]}` : null;
}

/** The module of a quantized initializer: "model.layers.0.attn.q_proj.MatMul.weight_Q4" → "model.layers.0.self_attn.q_proj". */
export function moduleOfQuantized(name: string): string | null {
  const parts = /^([A-Za-z_][A-Za-z0-9_.]{0,300})\.weight_[A-Za-z0-9]{1,20}$/.exec(name);
  return parts ? canonical(operatorless(parts[1] ?? "")) : null;
}

const operatorless = (path: string): string => path.replace(/\.(MatMul|Gemm|Add)$/, "");

/**
 * ONNX Runtime's model builder says "attn" for "self_attn", "q_norm.layernorm" for "q_norm", and numbers the final norm as
 * one layer more than there are; transformers.js' own builder calls that "final_norm".
 */
function canonical(path: string): string {
  if (/^model\.(layers\.\d+\.final_norm_layernorm|final_norm)$/.test(path)) return "model.norm";
  return path.replace(/^(model\.layers\.\d+)\.attn\./, "$1.self_attn.").replace(/(\.[qk]_norm)\.layernorm$/, "$1");
}
