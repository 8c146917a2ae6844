/** Who makes and who takes each value of an ONNX graph, and from which initializer a weight comes. */
import { WeightsError } from "../../errors";
import { type Initializer, type OnnxGraph, quoted } from "./file";
import type { OnnxNode } from "./messages";
import { isWeightType, type OnnxStorage, type StoredTensor } from "./storage";

/** Between a product and its weight lie at most a transposition, a dequantization and casts; a damaged graph may have circles. */
const maxHops = 8;

/** A matrix of the file, and what nodes do to it before it is used. */
export interface Table {
  readonly initializer: Initializer;
  /** What reaches the user is the initializer transposed. */
  readonly transposed: boolean;
  /** A `DequantizeLinear` on the way; `flipped`: between it and the user the matrix is transposed. */
  readonly dequantize: { readonly node: OnnxNode; readonly flipped: boolean } | null;
}

export class GraphIndex {
  /** The model's file, for messages. */
  readonly file: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, Initializer>;
  readonly #storage: OnnxStorage;
  readonly #producers = new Map<string, OnnxNode>();
  readonly #consumers = new Map<string, OnnxNode[]>();

  constructor({ nodes, initializers }: OnnxGraph, storage: OnnxStorage, file: string) {
    this.file = file;
    this.nodes = nodes;
    this.initializers = initializers;
    this.#storage = storage;
    for (const node of nodes) {
      for (const output of node.output) if (output !== "") this.#producers.set(output, node);
      for (const input of new Set(node.input)) {
        const others = this.#consumers.get(input);
        if (others) others.push(node);
        else this.#consumers.set(input, [node]);
      }
    }
  }

  label(node: OnnxNode): string {
    return `${this.file}: node ${quoted(node.name)}`;
  }

  producer(value: string | undefined): OnnxNode | undefined {
    return value === undefined ? undefined : this.#producers.get(value);
  }

  consumers(value: string | undefined): readonly OnnxNode[] {
    return (value === undefined ? undefined : this.#consumers.get(value)) ?? [];
  }

  locate(initializer: Initializer): Promise<StoredTensor> {
    return this.#storage.locate(initializer);
  }

  /** The initializer at an input; null where the input is absent. Throws `WeightsError` where it is computed. */
  async part(node: OnnxNode, index: number, role: string): Promise<StoredTensor | null> {
    const name = node.input[index];
    if (name === undefined || name === "") return null;
    const initializer = this.#initializer(name);
    if (initializer) return this.locate(initializer);
    throw new WeightsError(
      `${this.label(node)} takes its ${role} from ${quoted(name)}, which is no initializer of the file; export the model again.`,
    );
  }

  /** As `part`, of exactly `count` values. Throws `WeightsError` where it is absent too. */
  async sized(node: OnnxNode, index: number, role: string, shape: string, count: number): Promise<StoredTensor> {
    const tensor = await this.part(node, index, role);
    if (tensor?.count === count) return tensor;
    throw new WeightsError(
      `${this.label(node)} is ${shape}, so its ${role} must have ${count} values, not ${tensor?.count ?? "none"}; the file is damaged.`,
    );
  }

  /** The matrix of weights behind a value; null where it is computed, or no matrix, such as the scores of an attention. */
  table(value: string | undefined): Table | null {
    let name = value;
    let transposed = false;
    let dequantize: { readonly node: OnnxNode; transposedAfter: boolean } | null = null;
    for (let hop = 0; hop < maxHops && name !== undefined; hop++) {
      const initializer = this.initializers.get(name);
      if (initializer) {
        const { dims, dataType } = initializer.header;
        if (dims.length !== 2 || dims.some((dim) => dim < 1n) || !isWeightType(dataType)) return null;
        return {
          initializer,
          transposed,
          dequantize: dequantize && { node: dequantize.node, flipped: dequantize.transposedAfter },
        };
      }
      const node = this.producer(name);
      if (node?.opType === "Transpose") {
        const perm = node.attribute.find((attribute) => attribute.name === "perm")?.ints;
        if (perm && (perm.length !== 2 || perm[0] === perm[1])) return null;
        if (!perm || perm[0] === 1n) transposed = !transposed;
      } else if (node?.opType === "DequantizeLinear" && dequantize === null) {
        dequantize = { node, transposedAfter: transposed };
      } else if (node?.opType !== "Cast" && node?.opType !== "Identity") return null;
      name = node.input[0];
    }
    return null;
  }

  /** Reshapes do not move bytes, and casts of scales keep their values. */
  #initializer(name: string): Initializer | undefined {
    const node = this.initializers.has(name) ? undefined : this.producer(name);
    const through = node && (node.opType === "Cast" || node.opType === "Identity" || node.opType === "Reshape");
    return this.initializers.get(through ? (node.input[0] ?? "") : name);
  }
}

/** Throws `WeightsError` where the attribute is absent and has no fallback. */
export function intAttribute(index: GraphIndex, node: OnnxNode, name: string, fallback?: number): number {
  const found = node.attribute.find((candidate) => candidate.name === name);
  const value = found ? Number(found.i) : fallback;
  if (value === undefined)
    throw new WeightsError(`${index.label(node)} lacks the attribute ${name}; the file is damaged.`);
  return value;
}

const maxFeatures = 2 ** 24;

/** N and K of a product. */
export function features(index: GraphIndex, node: OnnxNode): readonly [number, number] {
  const size = (name: string): number => {
    const value = intAttribute(index, node, name);
    if (Number.isSafeInteger(value) && value >= 1 && value <= maxFeatures) return value;
    throw new WeightsError(
      `${index.label(node)} has ${name} = ${value}; it must be from 1 to ${maxFeatures}, the file is damaged.`,
    );
  };
  return [size("N"), size("K")];
}

/** Throws `WeightsError` for a block size that ONNX Runtime does not have. */
export function blockSize(index: GraphIndex, node: OnnxNode): number {
  const block = intAttribute(index, node, "block_size");
  if ([16, 32, 64, 128, 256].includes(block)) return block;
  throw new WeightsError(
    `${index.label(node)} has blocks of ${block}; only 16, 32, 64, 128 and 256 can be read, quantize the model with one of them.`,
  );
}
