/** Sizes that are known when a graph is recorded, and sizes and scalars that each replay binds anew. */
import { EngineError } from "./errors";

/** The values of one replay, by name: "tokens", "targets", "learningRate", … */
export type Bindings = Readonly<Record<string, number>>;

/** A size bound at replay; `max` is what memory is planned for. */
export interface SymbolicDim {
  readonly name: string;
  readonly max: number;
  readonly at: (bindings: Bindings) => number;
}

export type Dim = number | SymbolicDim;

/** A kernel parameter bound at replay. */
export interface RuntimeScalar {
  readonly name: string;
  readonly at: (bindings: Bindings) => number;
}

function lookup(name: string, bindings: Bindings): number {
  const value = bindings[name];
  if (value === undefined) throw new EngineError(`The replay does not bind "${name}".`);
  return value;
}

/** A size named `name`, at most `max`. Binding it to more, or to less than 0, throws `EngineError`. */
export function symbolicDim(name: string, max: number): SymbolicDim {
  return {
    name,
    max,
    at: (bindings) => {
      const value = lookup(name, bindings);
      if (!Number.isInteger(value) || value < 0 || value > max) {
        throw new EngineError(`The replay binds ${name}=${value}, but the program was planned for 0 to ${max}.`);
      }
      return value;
    },
  };
}

/** The `index`-th run of `size` out of `dim`: full for the first chunks, shorter for the last, 0 after it. */
export function chunkDim(dim: SymbolicDim, index: number, size: number): SymbolicDim {
  const within = (total: number) => Math.min(Math.max(total - index * size, 0), size);
  return { name: `${dim.name}[${index}·${size}]`, max: within(dim.max), at: (bindings) => within(dim.at(bindings)) };
}

/** A parameter that each replay binds by `name`. */
export function runtimeScalar(name: string): RuntimeScalar {
  return { name, at: (bindings) => lookup(name, bindings) };
}

/** A runtime scalar times a constant. */
export function scaled(scalar: RuntimeScalar, factor: number): RuntimeScalar {
  return { name: `${factor}·${scalar.name}`, at: (bindings) => factor * scalar.at(bindings) };
}

export const maxOf = (dim: Dim): number => (typeof dim === "number" ? dim : dim.max);
export const boundValue = (value: Dim | RuntimeScalar, bindings: Bindings): number =>
  typeof value === "number" ? value : value.at(bindings);
export const showDim = (dim: Dim): string => (typeof dim === "number" ? String(dim) : `${dim.name}≤${dim.max}`);
export const sameDim = (a: Dim, b: Dim): boolean =>
  a === b || (typeof a === "object" && typeof b === "object" && a.name === b.name && a.max === b.max);
