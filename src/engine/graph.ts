/** Records kernel calls over symbolic tensors, and with a tape also their gradients. Runs nothing: see program.ts. */
import { type Dim, type RuntimeScalar, sameDim, showDim } from "./dims";
import { EngineError, ShapeError } from "./errors";
import type { Kernel, TensorDeclarations } from "./kernel";
import type { DType, Tensor } from "./tensor";

export type ParamValue = Dim | RuntimeScalar;

/** One recorded kernel call. */
export interface Call {
  readonly kernel: Kernel;
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Sizes by dimension name. */
  readonly dims: ReadonlyMap<string, Dim>;
  readonly params: ReadonlyMap<string, ParamValue>;
}

type Inputs<Reads extends TensorDeclarations> = { readonly [K in keyof Reads]: Tensor | null };
type Outputs<Writes extends TensorDeclarations> = { readonly [K in keyof Writes]: Tensor };
type Targets<Writes extends TensorDeclarations> = { readonly [K in keyof Writes]?: Tensor | undefined };

interface TapeEntry {
  readonly output: Tensor;
  readonly backward: (outputGradient: Tensor) => void;
  done: boolean;
}

export class Graph {
  readonly calls: Call[] = [];
  /** Tensors that outlive the program's last call. */
  readonly kept = new Set<Tensor>();
  /** Activations that stay for the backward pass when everything else is recomputed. */
  readonly checkpoints = new Set<Tensor>();
  /** Index of the first backward call. */
  backwardStart = Number.POSITIVE_INFINITY;
  readonly #tape: TapeEntry[] = [];
  readonly #differentiable = new Set<Tensor>();
  readonly #gradients = new Map<Tensor, Tensor>();
  readonly #withGradients: boolean;

  constructor(options: { readonly gradients: boolean }) {
    this.#withGradients = options.gradients;
  }

  /** A tensor that the planner places. */
  tensor(label: string, dtype: DType, shape: readonly Dim[]): Tensor {
    return { label, dtype, shape, storage: { kind: "planned" } };
  }

  /** Rows of a tensor from a fixed row on. The byte offset must be a multiple of 256, WebGPU's binding alignment. */
  rows(base: Tensor, first: number, rows: Dim): Tensor {
    const rowBytes = base.shape.slice(1).reduce<number>((product, dim) => {
      if (typeof dim !== "number") throw new EngineError(`${base.label}: only fixed inner sizes can be cut into rows.`);
      return product * dim;
    }, 4);
    const byteOffset = first * rowBytes;
    if (byteOffset % 256 !== 0) {
      throw new EngineError(`${base.label}: row ${first} starts at byte ${byteOffset}, not a multiple of 256.`);
    }
    const { label, dtype, storage } = base;
    const shape = [rows, ...base.shape.slice(1)];
    if (storage.kind === "view") throw new EngineError(`${label}: a cut tensor cannot be cut again.`);
    return storage.kind === "buffer"
      ? { label, dtype, shape, storage: { ...storage, byteOffset: storage.byteOffset + byteOffset } }
      : { label, dtype, shape, storage: { kind: "view", base, byteOffset } };
  }

  /**
   * Records a call. `null` inputs are bound to a small zero buffer (an absent bias). Outputs are new tensors unless
   * `targets` gives one, which is then updated in place. Throws `ShapeError` where sizes do not fit.
   */
  run<Reads extends TensorDeclarations, Writes extends TensorDeclarations, Param extends string>(
    kernel: Kernel<Reads, Writes, Param>,
    inputs: Inputs<Reads>,
    params: Readonly<Record<Param, ParamValue>>,
    targets: Targets<Writes> = {},
  ): Outputs<Writes> {
    const dims = new Map<string, { readonly dim: Dim; readonly from: string }>();
    const tensors = new Map<string, Tensor>();
    const given = new Map<string, ParamValue>(Object.entries(params));
    const bind = (name: string, tensor: Tensor, declared: readonly string[]) => {
      if (tensor.shape.length !== declared.length) {
        throw new ShapeError(
          `${kernel.name}: ${name} has the shape [${tensor.shape.map(showDim).join(", ")}], expected [${declared.join(", ")}].`,
        );
      }
      const expected = kernel.shader.storage.get(name)?.dtype;
      if (tensor.dtype !== expected) {
        throw new ShapeError(`${kernel.name}: ${name} is ${tensor.dtype}, the shader reads ${expected}.`);
      }
      declared.forEach((dimName, axis) => {
        const dim = tensor.shape[axis] as Dim;
        if (dimName === "*") return;
        const known = dims.get(dimName);
        if (!known) dims.set(dimName, { dim, from: name });
        else if (!sameDim(known.dim, dim)) {
          throw new ShapeError(
            `${kernel.name}: ${name} has ${dimName}=${showDim(dim)} but ${known.from} has ${dimName}=${showDim(known.dim)}.`,
          );
        }
      });
      tensors.set(name, tensor);
    };
    for (const [name, declared] of Object.entries(kernel.reads)) {
      const tensor = inputs[name];
      if (tensor) bind(name, tensor, declared);
    }
    for (const [name, value] of given) {
      if (typeof value === "number" || "max" in value) {
        if (!dims.has(name)) dims.set(name, { dim: value, from: "the call" });
      }
    }
    const outputs: Record<string, Tensor> = {};
    for (const [name, declared] of Object.entries(kernel.writes)) {
      const target = targets[name];
      if (target) {
        const reader = Object.keys(kernel.reads).find((read) => {
          const tensor = tensors.get(read);
          return tensor && sharesBuffer(tensor, target);
        });
        if (reader) {
          throw new EngineError(
            `${kernel.name}: ${name} is written in the buffer that ${reader} is read from (${target.label}).`,
          );
        }
        bind(name, target, declared);
        outputs[name] = target;
        continue;
      }
      const shape = declared.map((dimName): Dim => {
        const known = dims.get(dimName);
        if (!known)
          throw new EngineError(`${kernel.name}: no input and no parameter gives the size "${dimName}" of ${name}.`);
        return known.dim;
      });
      const binding = kernel.shader.storage.get(name);
      const output = this.tensor(`${kernel.name}.${name}`, binding?.dtype ?? "f32", shape);
      tensors.set(name, output);
      outputs[name] = output;
    }
    this.calls.push({
      kernel: kernel as unknown as Kernel,
      tensors,
      dims: new Map([...dims].map(([name, { dim }]) => [name, dim])),
      params: given,
    });
    return outputs as Outputs<Writes>;
  }

  /** The tensor's bytes stay valid after a replay until the next program of the workspace runs, so that they can be read. */
  keep(tensor: Tensor): Tensor {
    this.kept.add(tensor);
    return tensor;
  }

  /** Marks an activation as a place to recompute from; see recompute.ts. */
  checkpoint(tensor: Tensor): Tensor {
    this.checkpoints.add(tensor);
    return tensor;
  }

  /** True where a gradient has to reach this tensor. */
  needsGradient(tensor: Tensor): boolean {
    return this.#differentiable.has(tensor);
  }

  /**
   * Declares how `output`'s gradient reaches `inputs`. Nothing is recorded where no input needs a gradient and the op
   * trains no parameters, so the backward pass ends at the lowest trained module.
   */
  onBackward(
    output: Tensor,
    inputs: readonly Tensor[],
    backward: (outputGradient: Tensor) => void,
    options: { readonly trains?: boolean } = {},
  ): void {
    if (!this.#withGradients) return;
    if (options.trains !== true && !inputs.some((input) => this.#differentiable.has(input))) return;
    this.#differentiable.add(output);
    this.#tape.push({ output, backward, done: false });
  }

  /**
   * Adds to an activation's gradient. `write` records the kernel: the first contribution gets no target and overwrites
   * (`accumulate` 0), later ones get the tensor so far and add to it (`accumulate` 1). Skipped where none is needed.
   */
  addGradient(tensor: Tensor, write: (target: Tensor | undefined, accumulate: 0 | 1) => Tensor): void {
    if (!this.#differentiable.has(tensor)) return;
    const sofar = this.#gradients.get(tensor);
    if (!sofar) {
      this.#gradients.set(tensor, write(undefined, 0));
      return;
    }
    for (const entry of this.#tape) {
      if (!entry.done && entry.output !== tensor && this.#gradients.get(entry.output) === sofar) {
        throw new EngineError(
          `The gradient of ${tensor.label} is shared with ${entry.output.label}, which has yet to read it.`,
        );
      }
    }
    write(sofar, 1);
  }

  /** Hands the gradient itself on, uncopied: for the residual stream, whose gradient both branches share. */
  passGradient(tensor: Tensor, gradient: Tensor): void {
    if (!this.#differentiable.has(tensor)) return;
    if (this.#gradients.has(tensor)) {
      throw new EngineError(`${tensor.label} already has a gradient; a passed one must come first.`);
    }
    this.#gradients.set(tensor, gradient);
  }

  /** Records the backward pass from `loss`, newest op first. */
  backward(loss: Tensor): void {
    this.backwardStart = this.calls.length;
    this.#gradients.set(loss, loss);
    for (const entry of [...this.#tape].reverse()) {
      const gradient = this.#gradients.get(entry.output);
      entry.done = true;
      if (gradient) entry.backward(gradient);
    }
  }

  /** The gradient recorded for an activation; for tests. */
  gradientOf(tensor: Tensor): Tensor | undefined {
    return this.#gradients.get(tensor);
  }

  /** Lets tests ask for the gradient of an input: marks it as if it came from a trained module. */
  watch(tensor: Tensor): Tensor {
    this.#differentiable.add(tensor);
    return tensor;
  }

  /** The tensor whose place this one's data is in. */
  static rootOf(tensor: Tensor): Tensor {
    return tensor.storage.kind === "view" ? tensor.storage.base : tensor;
  }
}

/** WebGPU refuses a dispatch that reads and writes one buffer through two bindings, and drops the whole submit. */
function sharesBuffer(a: Tensor, b: Tensor): boolean {
  if (a.storage.kind === "buffer" && b.storage.kind === "buffer") return a.storage.buffer === b.storage.buffer;
  return Graph.rootOf(a) === Graph.rootOf(b);
}
