/**
 * The plain twin: a model's whole network on the CPU in float64, over the weights that lie on the GPU. An architecture's
 * forward pass records steps here as it records graph calls there; the steps then run one after another.
 */
import type { Device } from "../../engine/device";
import type { Tensor } from "../../engine/tensor";
import type { FrozenMatrix } from "../../ops/lib/frozen";
import type { Network } from "../architecture";
import { ModelError } from "../errors";
import type { PlannedModel } from "../planned-model";
import { readRows, readVector } from "./decode";
import { attention, columns, geluErf, geluTanh, layerNorm, rmsNorm, rope, silu } from "./layers";
import { addPair, product, type TwinPair, type Work } from "./product";

export type { TwinPair };

/** Adapters by module; modules that it lacks are the base model's. */
export type Variant = ReadonlyMap<string, TwinPair>;

export interface TwinOptions {
  /** One document; each below the vocabulary's size. */
  readonly ids: readonly number[];
  /** Computed side by side: a matrix is read once for all, and what lies below the first difference is computed once. */
  readonly variants: readonly Variant[];
  readonly signal?: AbortSignal | undefined;
  /** In weights that were multiplied. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** [tokens, width] once for each variant, one after another; a single one while all variants agree. */
type Activation = Float64Array;
const none = new Float64Array();

interface Step {
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly run: (...inputs: Activation[]) => Activation | Promise<Activation>;
}

/** Logits of every variant: [tokens, vocabulary] each. Throws the signal's reason when aborted, `DeviceError`. */
export async function twinLogits(device: Device, model: PlannedModel, options: TwinOptions): Promise<Float64Array[]> {
  const { ids, variants, signal, onProgress } = options;
  const [tokens, count] = [ids.length, variants.length];
  if (tokens === 0 || count === 0) return variants.map(() => none);
  let total = 0;
  let done = 0;
  const work: Work = {
    signal,
    onWork: (weights) => {
      done += weights;
      onProgress?.(done, total);
    },
  };
  const { hidden, steps, weights } = recordTwin(device, model, { ids, variants, signal }, work);
  total = weights + model.output.rows * model.output.columns;

  const uses = new Map<Tensor, number>([[hidden, 1]]);
  for (const { inputs } of steps) for (const input of inputs) uses.set(input, (uses.get(input) ?? 0) + 1);
  const values = new Map<Tensor, Activation>();
  const take = (tensor: Tensor): Activation => {
    const value = values.get(tensor);
    if (!value) throw new ModelError(`${tensor.label} is used before it is computed.`);
    const left = (uses.get(tensor) ?? 0) - 1;
    uses.set(tensor, left);
    if (left <= 0) values.delete(tensor);
    return value;
  };
  for (const { inputs, output, run } of steps) {
    signal?.throwIfAborted();
    values.set(output, await run(...inputs.map(take)));
  }
  const logits = await product(device, model.output, take(hidden), null, work);
  const each = tokens * model.output.rows;
  const shared = logits.length === each;
  return variants.map((_, index) => (shared ? logits : logits.subarray(index * each, (index + 1) * each)));
}

function recordTwin(
  device: Device,
  { config, blueprint, matrices, vectors }: PlannedModel,
  { ids, variants }: TwinOptions,
  work: Work,
): { readonly hidden: Tensor; readonly steps: readonly Step[]; readonly weights: number } {
  const tokens = ids.length;
  const steps: Step[] = [];
  let weights = 0;
  const record = (label: string, width: number, inputs: readonly Tensor[], run: Step["run"]): Tensor => {
    const output: Tensor = { label, dtype: "f32", shape: [tokens, width], storage: { kind: "planned" } };
    steps.push({ inputs, output, run });
    return output;
  };
  const matrix = (module: string): FrozenMatrix => known(matrices.get(module), module);
  const vector = (name: string): Promise<Float64Array> => readVector(device, known(vectors.get(name), name));
  const biasOf = async (module: string) => (vectors.has(`${module}.bias`) ? vector(`${module}.bias`) : null);
  const lookup = (module: string, rows: readonly number[], scale: number) => {
    const table = matrix(module);
    return record(module, table.columns, [], async () => {
      const y = new Float64Array(tokens * table.columns);
      for (const [token, row] of rows.entries()) {
        const decode = await readRows(device, table, row, 1);
        decode(0, y.subarray(token * table.columns, (token + 1) * table.columns));
      }
      return y.map((value) => scale * value);
    });
  };
  const network: Network = {
    embedding: (module, scale = 1) => lookup(module, ids, scale),
    positionEmbedding: (module) => lookup(module, [...ids.keys()], 1),
    linear: (module, x) => {
      const weight = matrix(module);
      const { rows: out, columns: width } = weight;
      const pairs = variants.map((variant) => variant.get(module));
      const differs = pairs.some((pair) => pair !== pairs[0]);
      weights += out * width;
      return record(module, out, [x], async (given) => {
        const y = await product(device, weight, given, await biasOf(module), work);
        const input = differs ? repeated(given, tokens * width, variants.length) : given;
        const output = differs ? repeated(y, tokens * out, variants.length) : y;
        const documents = input.length / (tokens * width);
        for (let index = 0; index < documents; index += 1) {
          const pair = pairs[index];
          const rows = { first: index * tokens, end: (index + 1) * tokens };
          if (pair) addPair(pair, input, output, { ...rows, columns: width, out });
        }
        return output;
      });
    },
    rmsNorm: (module, x, eps, weightOffset = 0) =>
      record(module, widthOf(x), [x], async (input) =>
        rmsNorm(input, await vector(`${module}.weight`), eps, weightOffset),
      ),
    layerNorm: (module, x, eps) =>
      record(module, widthOf(x), [x], async (input) =>
        layerNorm(input, await vector(`${module}.weight`), await biasOf(module), eps),
      ),
    rope: (x, rotary) =>
      record(rotary.label, widthOf(x), [x], (input) =>
        rope(input, widthOf(x), { headDim: config.headDim, tokens, rotary }),
      ),
    attention: (layer, q, k, v, options = {}) => {
      const heads = { heads: config.numHeads, keyValueHeads: config.numKeyValueHeads, headDim: config.headDim, tokens };
      const parts = [q, k, v].map((tensor) => tokens * widthOf(tensor));
      return record(`attention ${layer}`, widthOf(q), [q, k, v], (...inputs) => {
        // An adapter on one of the three may have made only that one differ.
        const times = Math.max(...inputs.map((input, index) => input.length / (parts[index] ?? 1)));
        const [queries = none, keys = none, values = none] = inputs.map((input, index) =>
          repeated(input, parts[index] ?? 0, times),
        );
        return attention({ q: queries, k: keys, v: values }, heads, options);
      });
    },
    gated: (activation, gate, up) => {
      const curve = activation === "silu" ? silu : geluTanh;
      return record("gated", widthOf(gate), [gate, up], (a, b) => paired(a, b, (x, y) => curve(x) * y));
    },
    gelu: (approximation, x) =>
      record("gelu", widthOf(x), [x], (input) => input.map(approximation === "tanh" ? geluTanh : geluErf)),
    columns: (x, runs) => record("columns", runs.groups * runs.size, [x], (input) => columns(input, widthOf(x), runs)),
    add: (a, b) => record("add", widthOf(a), [a, b], (x, y) => paired(x, y, (p, q) => p + q)),
  };
  return { hidden: blueprint.forward(network), steps, weights };
}

function known<T>(found: T | undefined, name: string): T {
  if (found === undefined) throw new ModelError(`The model has no tensor ${name}.`);
  return found;
}

function widthOf({ shape, label }: Tensor): number {
  const width = shape[1];
  if (typeof width !== "number") throw new ModelError(`${label} has no fixed width.`);
  return width;
}

/** As many copies as there are variants: `one` is the length of a single one. */
function repeated(x: Activation, one: number, times: number): Activation {
  if (x.length === one * times) return x;
  const y = new Float64Array(one * times);
  for (let index = 0; index < times; index += 1) y.set(x, index * one);
  return y;
}

function paired(a: Activation, b: Activation, of: (a: number, b: number) => number): Activation {
  const length = Math.max(a.length, b.length);
  const y = new Float64Array(length);
  for (let i = 0; i < length; i += 1) y[i] = of(a[i % a.length] as number, b[i % b.length] as number);
  return y;
}
