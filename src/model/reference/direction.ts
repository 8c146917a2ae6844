/** A direction in the space of an adapter's numbers, along which the GPU's gradient is held against differences of the twin's loss. */
import type { LoraMatrices } from "../lora";
import { dot } from "./compare";
import type { Variant } from "./network";

/** A module's A and B as they are, and the loss's gradient for them. */
export interface TrainedModule {
  readonly adapter: LoraMatrices;
  readonly gradient: LoraMatrices;
}

export interface Direction {
  /** For each module. */
  readonly modules: readonly { readonly a: Float64Array; readonly b: Float64Array }[];
  /** g·v for the gradient that was given. */
  readonly derivative: number;
  /** √Σ c² over what each A and B adds to g·v. */
  readonly size: number;
  /** A central difference with it is exact to about 1e-8. */
  readonly step: number;
}

/** The step is so large a part of each A and B, at most: the error of the difference falls with its square. */
const relativeStep = 1e-4;
/** A gradient below this part of the largest is taken for that: else it would ask for a direction without end. */
const leastGradient = 1e-4;

/**
 * Each A and B counts about the same, so that a wrong gradient in any of them shows: for its gradient g,
 * v = (g/‖g‖ + n)/‖g‖ with n standard normal, so that g·v is 1 plus a normal number. The first part shows a wrong length of
 * g; the second, which knows nothing of g, a wrong direction.
 */
export function chooseDirection(modules: readonly TrainedModule[], uniform: () => number): Direction {
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const norm = (values: ArrayLike<number>) => Math.sqrt(dot(values, values));
  const largest = Math.max(...modules.flatMap(({ gradient }) => [norm(gradient.a), norm(gradient.b)]));
  const usable = Number.isFinite(largest) && largest > 0;
  let derivative = 0;
  let squares = 0;
  let step = Number.POSITIVE_INFINITY;
  const along = (values: Float32Array, gradient: Float32Array): Float64Array => {
    const length = norm(gradient);
    const unit = usable ? Math.max(length, leastGradient * largest) : 1;
    const v = Float64Array.from(gradient, (g) => ((usable && length > 0 ? g / length : 0) + normal()) / unit);
    const share = dot(gradient, v);
    derivative += share;
    squares += share ** 2;
    step = Math.min(step, (relativeStep * norm(values)) / norm(v));
    return v;
  };
  const directions = modules.map(({ adapter, gradient }) => ({
    a: along(adapter.a, gradient.a),
    b: along(adapter.b, gradient.b),
  }));
  return { modules: directions, derivative, size: Math.sqrt(squares), step };
}

/** The adapter `step` times the direction away. `scale` as in y += scale · B(Ax). */
export function variantAt(
  modules: readonly TrainedModule[],
  direction: Direction,
  step: number,
  scale: number,
): Variant {
  const moved = (values: Float32Array, v: Float64Array | undefined) =>
    Float64Array.from(values, (value, index) => value + step * (v?.[index] ?? Number.NaN));
  return new Map(
    modules.map(({ adapter }, index) => {
      const v = direction.modules[index];
      return [adapter.module, { a: moved(adapter.a, v?.a), b: moved(adapter.b, v?.b), scale }];
    }),
  );
}
