/** The model folders of tests/golden that the plain twin and the check by it are tested on: every architecture. */
export const goldenModels = [
  "llama-tied",
  "llama-untied",
  "llama-int4",
  "llama3-rope",
  "llama-linear-rope",
  "llama-yarn",
  "mistral",
  "qwen2",
  "qwen3",
  "gemma3",
  "gpt2",
  "gpt-neox",
  "gpt-neox-serial",
  "phi3",
  "phi3-partial",
] as const;
