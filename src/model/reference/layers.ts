/**
 * What a network consists of, in plain loops over float64: the definitions, with nothing done for speed. `x` is always
 * row-major [rows, width]; rows are tokens, document after document of `tokens` each.
 */
import type { ColumnRuns } from "../../ops/columns";
import type { AttentionOptions } from "../architecture";
import type { Rotary } from "../config/rotary";

/** y = x / √(mean(x²) + eps) · (weightOffset + weight), over each run of the weight's length. */
export function rmsNorm(x: Float64Array, weight: Float64Array, eps: number, weightOffset: number): Float64Array {
  const dim = weight.length;
  const y = new Float64Array(x.length);
  for (let first = 0; first < x.length; first += dim) {
    let squares = 0;
    for (let i = 0; i < dim; i += 1) squares += (x[first + i] as number) ** 2;
    const root = Math.sqrt(squares / dim + eps);
    for (let i = 0; i < dim; i += 1) {
      y[first + i] = ((x[first + i] as number) / root) * (weightOffset + (weight[i] as number));
    }
  }
  return y;
}

/** y = (x − mean) / √(variance + eps) · weight + bias */
export function layerNorm(x: Float64Array, weight: Float64Array, bias: Float64Array | null, eps: number): Float64Array {
  const dim = weight.length;
  const y = new Float64Array(x.length);
  for (let first = 0; first < x.length; first += dim) {
    let sum = 0;
    for (let i = 0; i < dim; i += 1) sum += x[first + i] as number;
    const mean = sum / dim;
    let squares = 0;
    for (let i = 0; i < dim; i += 1) squares += ((x[first + i] as number) - mean) ** 2;
    const root = Math.sqrt(squares / dim + eps);
    for (let i = 0; i < dim; i += 1) {
      y[first + i] =
        (((x[first + i] as number) - mean) / root) * (weight[i] as number) + (bias ? (bias[i] as number) : 0);
    }
  }
  return y;
}

/** Column i and i + rotaryDim/2 of each head turn by position · inverseFrequencies[i]; columns past rotaryDim stay. */
export function rope(
  x: Float64Array,
  width: number,
  { headDim, tokens, rotary }: { readonly headDim: number; readonly tokens: number; readonly rotary: Rotary },
): Float64Array {
  const { inverseFrequencies, factor } = rotary;
  const half = inverseFrequencies.length;
  const y = x.slice();
  for (let row = 0; row < x.length / width; row += 1) {
    const position = row % tokens;
    for (let head = 0; head < width / headDim; head += 1) {
      for (let i = 0; i < half; i += 1) {
        const angle = position * (inverseFrequencies[i] as number);
        const [cosine, sine] = [factor * Math.cos(angle), factor * Math.sin(angle)];
        const at = row * width + head * headDim + i;
        const [a, b] = [x[at] as number, x[at + half] as number];
        y[at] = a * cosine - b * sine;
        y[at + half] = b * cosine + a * sine;
      }
    }
  }
  return y;
}

export interface Heads {
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDim: number;
  readonly tokens: number;
}

/** softmax(scale · q·k) · v over the keys that a token sees: those of its document up to its own, and of its window. */
export function attention(
  { q, k, v }: { readonly q: Float64Array; readonly k: Float64Array; readonly v: Float64Array },
  { heads, keyValueHeads, headDim, tokens }: Heads,
  { window, scale = 1 / Math.sqrt(headDim) }: AttentionOptions,
): Float64Array {
  const [width, keyWidth] = [heads * headDim, keyValueHeads * headDim];
  const y = new Float64Array(q.length);
  const weights = new Float64Array(tokens);
  for (let row = 0; row < q.length / width; row += 1) {
    const start = row - (row % tokens);
    const first = window ? Math.max(start, row - window + 1) : start;
    for (let head = 0; head < heads; head += 1) {
      const own = row * width + head * headDim;
      const shared = Math.floor(head / (heads / keyValueHeads)) * headDim;
      let largest = Number.NEGATIVE_INFINITY;
      for (let key = first; key <= row; key += 1) {
        let score = 0;
        for (let i = 0; i < headDim; i += 1) {
          score += (q[own + i] as number) * (k[key * keyWidth + shared + i] as number);
        }
        weights[key - first] = score * scale;
        largest = Math.max(largest, score * scale);
      }
      let total = 0;
      for (let key = first; key <= row; key += 1) {
        const weight = Math.exp((weights[key - first] as number) - largest);
        weights[key - first] = weight;
        total += weight;
      }
      for (let key = first; key <= row; key += 1) {
        const share = (weights[key - first] as number) / total;
        for (let i = 0; i < headDim; i += 1) {
          y[own + i] = (y[own + i] as number) + share * (v[key * keyWidth + shared + i] as number);
        }
      }
    }
  }
  return y;
}

export const silu = (x: number): number => x / (1 + Math.exp(-x));

export const geluTanh = (x: number): number =>
  (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

export const geluErf = (x: number): number => (x / 2) * (1 + erf(x / Math.SQRT2));

/** 2/√π · e^(−x²) · Σ 2ᵏ·x^(2k+1) / (1·3·…·(2k+1)): all terms of one sign (Abramowitz & Stegun 1964, 7.1.6). */
function erf(x: number): number {
  // 1 − erf(6) is 2e-17.
  if (Math.abs(x) >= 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(sum); k += 1) {
    term *= (2 * x * x) / (2 * k + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** y[t, g · size + i] = x[t, g · period + offset + i] */
export function columns(x: Float64Array, width: number, { groups, period, offset, size }: ColumnRuns): Float64Array {
  const rows = x.length / width;
  const y = new Float64Array(rows * groups * size);
  for (let row = 0; row < rows; row += 1) {
    for (let group = 0; group < groups; group += 1) {
      const from = row * width + group * period + offset;
      y.set(x.subarray(from, from + size), (row * groups + group) * size);
    }
  }
  return y;
}
