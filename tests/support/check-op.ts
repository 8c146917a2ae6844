/** The way an op is tested: forward against float64, gradients against finite differences of that same reference. */
import type { Device } from "../../src/engine/device";
import { type Bindings, type Dim, symbolicDim } from "../../src/engine/dims";
import { Graph } from "../../src/engine/graph";
import type { Tensor } from "../../src/engine/tensor";
import { expectClose } from "./allclose";
import { free, runOnce, type TensorData, upload } from "./gpu";
import { normals, type Random, random } from "./random";

export interface Input {
  /** Fixed sizes, and names of `sizes`, which become symbolic and are planned larger than they are bound. */
  readonly shape: readonly (number | string)[];
  /** Standard normal where absent. */
  readonly values?: TensorData | ((random: Random, length: number) => TensorData);
  /** Makes this the buffer that the op adds the gradient of that input to (a trained parameter). */
  readonly gradientOf?: string;
}

export type Arrays<Name extends string> = Readonly<Record<Name, Float64Array>>;

export interface OpCheck<Name extends string> {
  readonly name: string;
  readonly inputs: Readonly<Record<Name, Input>>;
  /** Values of the symbolic sizes. */
  readonly sizes?: Bindings;
  /** Other values that the replay binds. */
  readonly bindings?: Bindings;
  /** Records the op and gives its output. */
  readonly build: (g: Graph, tensors: Readonly<Record<Name, Tensor>>) => Tensor;
  /** The same in float64, from exactly the values that the GPU gets. */
  readonly reference: (inputs: Arrays<Name>) => ArrayLike<number>;
  /** ‖Δ‖/‖ref‖ of the output. */
  readonly tolerance?: number;
  readonly gradientTolerance?: number;
  /** Gradients of a norm below this are judged absolutely: gradientTolerance · gradientScale. For gradients that are 0. */
  readonly gradientScale?: number;
  /** Inputs whose gradients are checked: overwriting, and added to what is there. */
  readonly gradientsOf?: readonly NoInfer<Name>[];
  /** Exact float64 gradients for shapes whose reference is too slow for finite differences. */
  readonly gradient?: (inputs: Arrays<Name>, dy: Float64Array) => Partial<Arrays<NoInfer<Name>>>;
  /** The output is a loss: the backward pass starts from it, with a gradient of 1, and it is summed. */
  readonly isLoss?: boolean;
  /** The op hands gradients on uncopied and cannot add to one that is already there. */
  readonly passes?: boolean;
  readonly seed?: number;
}

/** Inputs with at most this many values get a finite difference for each; larger ones for a sample. */
const fullDifferences = 240;
const sampledDifferences = 24;
const sampledDirections = 4;
const step = 1e-4;

/** Runs all comparisons; throws the assertion that fails first. */
export async function checkOp<Name extends string>(device: Device, check: OpCheck<Name>): Promise<void> {
  const source = random(check.seed ?? 1);
  const names = Object.keys(check.inputs) as Name[];
  const sizes = check.sizes ?? {};
  const bindings = { ...sizes, ...check.bindings };
  const inputs = {} as Record<Name, TensorData>;
  for (const name of names) {
    const { shape, values } = check.inputs[name];
    const length = shape.reduce<number>(
      (product, dim) => product * (typeof dim === "number" ? dim : (sizes[dim] ?? Number.NaN)),
      1,
    );
    inputs[name] = typeof values === "function" ? values(source, length) : (values ?? normals(source, length));
    if (inputs[name].length !== length)
      throw new Error(`${check.name}: ${name} has ${inputs[name].length} values, its shape ${length}`);
  }
  const exact = Object.fromEntries(names.map((name) => [name, Float64Array.from(inputs[name])])) as Record<
    Name,
    Float64Array
  >;
  const expected = check.reference(exact);
  const dy = check.isLoss ? Float32Array.from({ length: expected.length }, () => 1) : normals(source, expected.length);
  const watched = check.gradientsOf ?? [];
  const held = new Map<Name, Name>();
  for (const name of names) {
    const of = check.inputs[name].gradientOf as Name | undefined;
    if (of !== undefined) held.set(of, name);
  }

  /** One run; with `initial`, gradients are added to those values. */
  const run = async (initial: ReadonlyMap<Name, Float32Array<ArrayBuffer>>) => {
    const g = new Graph({ gradients: watched.length > 0 });
    const tensors = {} as Record<Name, Tensor>;
    const owned: Tensor[] = [];
    const put = async (label: string, shape: readonly Dim[], data: TensorData) => {
      const tensor = await upload(device, label, shape, data);
      owned.push(tensor);
      return tensor;
    };
    for (const name of names) {
      const { shape, gradientOf } = check.inputs[name];
      const dims = shape.map((dim) => (typeof dim === "number" ? dim : symbolicDim(dim, 2 * (sizes[dim] ?? 0) + 3)));
      const zeros = () => new Float32Array(inputs[name].length);
      const data = gradientOf === undefined ? inputs[name] : (initial.get(gradientOf as Name) ?? zeros());
      tensors[name] = await put(name, dims, data);
      if (watched.includes(name) && !held.has(name)) g.watch(tensors[name]);
    }
    const output = check.build(g, tensors);
    const outputs: Record<string, Tensor> = { output };
    if (watched.length > 0) {
      g.keep(output);
      if (check.isLoss) g.backward(output);
      else {
        const seed = await put("dy", output.shape, dy);
        const passed: [Tensor, Tensor][] = [];
        for (const name of watched) {
          const values = initial.get(name);
          if (values && !held.has(name))
            passed.push([tensors[name], await put(`d_${name}`, tensors[name].shape, values)]);
        }
        // A tape entry after the op's own hands it the random gradient.
        const root = g.tensor("root", "f32", [1]);
        g.onBackward(
          root,
          [output],
          () => {
            for (const [tensor, gradient] of passed) g.passGradient(tensor, gradient);
            g.passGradient(output, seed);
          },
          { trains: true },
        );
        g.backward(root);
      }
      for (const name of watched) {
        const holder = held.get(name);
        const gradient = holder === undefined ? g.gradientOf(tensors[name]) : tensors[holder];
        if (!gradient) throw new Error(`${check.name}: the op gives no gradient of ${name}`);
        outputs[`gradient of ${name}`] = gradient;
      }
    }
    const values = await runOnce(device, g, outputs, bindings);
    for (const tensor of owned) free(device, tensor);
    return values;
  };

  const first = await run(new Map());
  const tolerance = check.tolerance ?? 1e-6;
  const gradientTolerance = check.gradientTolerance ?? 1e-5;
  const scale = check.gradientScale ?? 0;
  expectClose(`${check.name}, forward`, first["output"] ?? [], expected, tolerance);
  if (watched.length === 0) return;

  const upstream = Float64Array.from(dy);
  const analytic = check.gradient?.(exact, upstream);
  for (const name of watched) {
    const actual = Float64Array.from(first[`gradient of ${name}`] ?? []);
    const known = analytic?.[name];
    if (known) expectClose(`${check.name}, gradient of ${name}`, actual, known, gradientTolerance, scale);
    else compareWithDifferences(check, exact, name, upstream, actual, source, gradientTolerance, scale);
  }

  if (check.passes || check.isLoss) return;
  const initial = new Map(watched.map((name) => [name, normals(source, inputs[name].length)]));
  const second = await run(initial);
  for (const name of watched) {
    const start = initial.get(name) as Float32Array<ArrayBuffer>;
    const sum = Float64Array.from(
      first[`gradient of ${name}`] ?? [],
      (value, index) => value + (start[index] as number),
    );
    expectClose(`${check.name}, gradient of ${name} added to one`, second[`gradient of ${name}`] ?? [], sum, 1e-6);
  }
}

/** Central differences of ⟨dy, reference⟩: along each value of a small input, along some and random directions of a large one. */
function compareWithDifferences<Name extends string>(
  check: OpCheck<Name>,
  inputs: Record<Name, Float64Array>,
  name: Name,
  dy: Float64Array,
  actual: Float64Array,
  source: Random,
  tolerance: number,
  scale: number,
): void {
  const values = inputs[name];
  const what = `${check.name}, gradient of ${name}`;
  if (actual.length !== values.length) {
    expectClose(what, actual, values, tolerance);
    return;
  }
  const along = (direction: (index: number) => number): number => {
    const at = (distance: number): number => {
      const moved = values.map((value, index) => value + distance * direction(index));
      const output = check.reference({ ...inputs, [name]: moved });
      let sum = 0;
      for (let index = 0; index < dy.length; index += 1) sum += (output[index] as number) * (dy[index] as number);
      return sum;
    };
    return (at(step) - at(-step)) / (2 * step);
  };
  const small = values.length <= fullDifferences;
  const chosen = small
    ? values.map((_, index) => index)
    : Float64Array.from({ length: sampledDifferences }, (_, index) =>
        index === 0 ? 0 : index === 1 ? values.length - 1 : source.integer(0, values.length - 1),
      );
  expectClose(
    what,
    chosen.map((index) => actual[index] as number),
    chosen.map((index) => along((other) => (other === index ? 1 : 0))),
    tolerance,
    scale,
  );
  if (small) return;
  // Every value takes part in each direction, so an error outside the sample shows here.
  const directions = Array.from({ length: sampledDirections }, () => {
    const direction = normals(source, values.length);
    const length = Math.hypot(...[direction.reduce((sum, value) => sum + value * value, 0) ** 0.5]);
    return direction.map((value) => value / length);
  });
  expectClose(
    `${what}, along random directions`,
    directions.map((direction) => actual.reduce((sum, value, index) => sum + value * (direction[index] as number), 0)),
    directions.map((direction) => along((index) => direction[index] as number)),
    tolerance,
    scale,
  );
}
