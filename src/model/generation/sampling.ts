/** From a row of logits to a token id: greedy, or temperature with top-k and top-p, as transformers orders them. */

export interface SamplingOptions {
  /** 0: greedy. */
  readonly temperature: number;
  /** Keep the k likeliest tokens; 0 keeps all. */
  readonly topK: number;
  /** Keep the likeliest tokens whose probabilities add up to this; 1 keeps all. */
  readonly topP: number;
}

/** `uniform` gives numbers in [0, 1). Ties go to the lower id. */
export function sampleToken(logits: Float32Array, options: SamplingOptions, uniform: () => number): number {
  if (options.temperature === 0) return argmax(logits);
  const order = Array.from(logits.keys()).sort((a, b) => (logits[b] as number) - (logits[a] as number) || a - b);
  const kept = options.topK > 0 ? order.slice(0, options.topK) : order;
  const largest = logits[kept[0] as number] as number;
  const weights = kept.map((id) => Math.exp(((logits[id] as number) - largest) / options.temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let nucleus = 0;
  let count = 0;
  while (count < kept.length && (count === 0 || nucleus < options.topP * total)) {
    nucleus += weights[count] as number;
    count += 1;
  }
  let left = uniform() * nucleus;
  for (let index = 0; index < count; index += 1) {
    left -= weights[index] as number;
    if (left < 0) return kept[index] as number;
  }
  return kept[count - 1] as number;
}

export function argmax(values: Float32Array): number {
  let best = 0;
  for (let index = 1; index < values.length; index += 1) {
    if ((values[index] as number) > (values[best] as number)) best = index;
  }
  return best;
}
