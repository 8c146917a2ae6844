/**
 * Finds a graph's weights under their Hugging Face names: by what nodes do with them, by the nodes' paths, and by the
 * initializers' own names. Exporters differ in which of these they keep.
 */
import { WeightsError } from "../../errors";
import type { ExpectedTensor } from "../types";
import { denseTensor, lessOne } from "./dense";
import { readGatherBlockQuantized } from "./gather-block-quantized";
import { type GraphIndex, intAttribute } from "./graph";
import { readMatMulBnb4 } from "./matmul-bnb4";
import { readMatMulInteger } from "./matmul-integer";
import { readMatMulNBits } from "./matmul-nbits";
import type { OnnxNode } from "./messages";
import { moduleOfNode, moduleOfQuantized, tensorOfInitializer } from "./names";
import { joinTensors, packedName, splitTensor } from "./packed";
import { readGather, readTable } from "./tables";
import type { OnnxTensor } from "./tensor";

const microsoft = "com.microsoft";

/** Where a node takes a vector, by input; null: any input that is an initializer. */
const vectorInputs: ReadonlyMap<string, readonly (readonly [number | null, "weight" | "bias"])[]> = new Map([
  ["LayerNormalization", [[1, "weight"] as const, [2, "bias"] as const]],
  ["SimplifiedLayerNormalization", [[1, "weight"] as const]],
  ["RMSNormalization", [[1, "weight"] as const]],
  ["SkipLayerNormalization", [[2, "weight"] as const, [3, "bias"] as const]],
  ["SkipSimplifiedLayerNormalization", [[2, "weight"] as const]],
  ["Mul", [[null, "weight"] as const]],
  ["Add", [[null, "bias"] as const]],
  ["Gemm", [[2, "bias"] as const]],
]);

/** Every weight that the model expects, as far as the file has it; all that can be named where nothing is expected. */
export async function collectTensors(
  index: GraphIndex,
  expected: readonly ExpectedTensor[],
): Promise<ReadonlyMap<string, OnnxTensor>> {
  const collector = new Collector(index, expected);
  await collector.embeddings();
  await collector.products();
  await collector.named();
  await collector.vectors();
  return collector.resolved();
}

class Collector {
  readonly #index: GraphIndex;
  readonly #expected: ReadonlyMap<string, ExpectedTensor>;
  readonly #wanted: ReadonlySet<string>;
  readonly #found = new Map<string, OnnxTensor>();
  /** Initializer → the embedding that it is; a product with the same one is the output matrix, tied to it. */
  readonly #embeddings = new Map<string, string>();
  /** Float initializer → it lies [in, out]. */
  readonly #turned = new Map<string, boolean>();

  constructor(index: GraphIndex, expected: readonly ExpectedTensor[]) {
    this.#index = index;
    this.#expected = new Map(expected.map((tensor) => [tensor.name, tensor]));
    this.#wanted = new Set(
      expected.flatMap(({ name }) => {
        const packed = packedName(name);
        return packed ? [packed.whole, ...packed.parts] : [name];
      }),
    );
  }

  async embeddings(): Promise<void> {
    for (const node of this.#index.nodes) {
      const blocks = node.opType === "GatherBlockQuantized" && node.domain === microsoft;
      if (node.opType !== "Gather" && !blocks) continue;
      const table = blocks ? null : this.#index.table(node.input[0]);
      if (!blocks && (!table || intAttribute(this.#index, node, "axis", 0) !== 0)) continue;
      const module = moduleOfNode(node.name);
      const own = table && tensorOfInitializer(table.initializer.header.name);
      const name = module === null ? own : `${module}.weight`;
      if (name === null || !this.#wants(name)) continue;
      const columns = this.#expected.get(name)?.shape[1] ?? null;
      const tensor = table
        ? await readGather(this.#index, node, table)
        : await readGatherBlockQuantized(this.#index, node, columns);
      if (!tensor || this.#found.has(name)) continue;
      this.#found.set(name, tensor);
      this.#embeddings.set(tensor.key, name);
    }
  }

  async products(): Promise<void> {
    for (const node of this.#index.nodes) {
      if (node.domain === microsoft && (node.opType === "MatMulNBits" || node.opType === "MatMulBnb4"))
        await this.#quantized(node);
      else if (node.opType === "MatMul" || node.opType === "Gemm" || node.opType === "MatMulInteger")
        await this.#product(node);
      else if (node.opType === "Attention" && node.domain === microsoft) await this.#product(node);
    }
  }

  async #quantized(node: OnnxNode): Promise<void> {
    const index = this.#index;
    const module = moduleOfNode(node.name) ?? moduleOfQuantized(node.input[1] ?? "");
    if (module === null) {
      throw new WeightsError(
        `${index.label(node)} is quantized but its name is no module path such as /model/layers.0/mlp/up_proj/MatMul_Q4; export the model again.`,
      );
    }
    if (!this.#wants(`${module}.weight`)) return;
    if (node.opType === "MatMulBnb4") return this.#add(`${module}.weight`, await readMatMulBnb4(index, node));
    const { weight, bias } = await readMatMulNBits(index, node);
    this.#add(`${module}.weight`, weight);
    if (bias) this.#add(`${module}.bias`, denseTensor(bias, false));
  }

  async #product(node: OnnxNode): Promise<void> {
    const index = this.#index;
    const table = index.table(node.input[1]);
    if (!table) return;
    const { name: initializer, dataType } = table.initializer.header;
    const turned = !(node.opType === "Gemm" && intAttribute(index, node, "transB", 0) === 1);
    if (!this.#turned.has(initializer)) this.#turned.set(initializer, table.transposed !== turned);
    const module = moduleOfNode(node.name) ?? moduleOfQuantized(initializer);
    const name = module === null ? tensorOfInitializer(initializer) : `${module}.weight`;
    if (name === null || !this.#wants(name)) return;
    if (node.opType === "Gemm") checkGemm(index, node);
    const tensor =
      node.opType === "MatMulInteger"
        ? await readMatMulInteger(index, node, table)
        : await readTable(index, table, turned);
    if (tensor) this.#add(name, tensor);
    else if (this.#expected.has(name))
      throw new WeightsError(
        `${index.label(node)} multiplies by weights of data type ${dataType} that nothing scales; export the model again.`,
      );
  }

  /** Float initializers that carry their tensor's name. */
  async named(): Promise<void> {
    for (const [given, initializer] of this.#index.initializers) {
      const name = tensorOfInitializer(given);
      const rank = initializer.header.dims.length;
      if (name === null || !this.#wants(name) || rank < 1 || rank > 2 || this.#found.has(name)) continue;
      const turned = rank === 2 && (this.#turned.get(given) ?? this.#expected.get(name)?.conv1d ?? false);
      this.#add(name, this.#vector(name, denseTensor(await this.#index.locate(initializer), turned)));
    }
  }

  /** Vectors whose initializers have lost their names, or share one with a vector of equal values. */
  async vectors(): Promise<void> {
    for (const node of this.#index.nodes) {
      const inputs = vectorInputs.get(node.opType);
      const module = inputs ? moduleOfNode(node.name) : null;
      if (!inputs || module === null) continue;
      for (const [input, part] of inputs) {
        const name = `${module}.${part}`;
        if (this.#found.has(name) || this.#expected.get(name)?.shape.length !== 1) continue;
        const given = (input === null ? node.input : node.input.slice(input, input + 1)).flatMap(
          (value) => this.#index.initializers.get(value) ?? [],
        );
        const initializer = given.find(({ header }) => header.dims.length === 1);
        if (!initializer) continue;
        const stored = await this.#index.locate(initializer);
        this.#found.set(name, this.#vector(name, denseTensor(stored, false), node));
      }
    }
  }

  /** With packed matrices taken apart or put together, as the model wants them. */
  resolved(): ReadonlyMap<string, OnnxTensor> {
    const resolved = new Map(this.#found);
    for (const { name } of this.#expected.values()) {
      if (this.#found.has(name)) continue;
      const packed = packedName(name);
      const whole = packed && this.#found.get(packed.whole);
      const parts = packed?.parts.flatMap((part) => this.#found.get(part) ?? []) ?? [];
      if (packed && whole && packed.whole !== name) resolved.set(name, this.#part(name, packed.parts, whole));
      else if (packed && packed.whole === name && parts.length === packed.parts.length)
        resolved.set(name, joinTensors(parts));
    }
    for (const name of this.#found.keys())
      if (this.#expected.size > 0 && !this.#expected.has(name)) resolved.delete(name);
    return resolved;
  }

  #part(name: string, parts: readonly string[], whole: OnnxTensor): OnnxTensor {
    const sizes = parts.map((part) => this.#expected.get(part)?.shape[0] ?? 0);
    const rows = sizes.reduce((sum, size) => sum + size, 0);
    if (rows !== whole.shape[0]) {
      throw new WeightsError(
        `${whole.label} packs ${whole.shape[0]} rows, but the model's config asks for ${sizes.join(" + ")}; use another copy of the model.`,
      );
    }
    const at = parts.indexOf(name);
    return splitTensor(
      whole,
      sizes.slice(0, at).reduce((sum, size) => sum + size, 0),
      sizes[at] ?? 0,
    );
  }

  /**
   * Gemma multiplies by 1 + w. Exporters store that sum, unless the graph itself adds the 1. No other model has norms before
   * its feed-forward part by that name.
   */
  #vector(name: string, tensor: OnnxTensor, user?: OnnxNode): OnnxTensor {
    const gemma = this.#expected.has("model.layers.0.pre_feedforward_layernorm.weight");
    if (!gemma || tensor.shape.length !== 1 || !/norm\.weight$/.test(name)) return tensor;
    const users = user ? [user] : this.#index.consumers(tensor.key);
    const adds = users.some(
      ({ opType, output }) =>
        opType === "Add" ||
        (opType === "Cast" && this.#index.consumers(output[0]).some((next) => next.opType === "Add")),
    );
    return adds ? tensor : lessOne(tensor);
  }

  #wants(name: string): boolean {
    return this.#wanted.size === 0 || this.#wanted.has(name);
  }

  #add(name: string, tensor: OnnxTensor): void {
    const tied = this.#embeddings.get(tensor.key);
    if (tied !== undefined && tied !== name) return;
    const other = this.#found.get(name);
    if (!other) this.#found.set(name, tensor);
    else if (tied === undefined)
      throw new WeightsError(`${this.#index.file} gives the tensor "${name}" twice; export the model again.`);
  }
}

/** Throws `WeightsError` where the product is scaled or its left side transposed. */
function checkGemm(index: GraphIndex, node: OnnxNode): void {
  for (const { name, f, i } of node.attribute) {
    if ((name === "alpha" || name === "beta") && f !== 1)
      throw new WeightsError(`${index.label(node)} has ${name} = ${f}; only 1 can be read, export the model again.`);
    if (name === "transA" && i !== 0n)
      throw new WeightsError(`${index.label(node)} transposes its input; export the model again.`);
  }
}
