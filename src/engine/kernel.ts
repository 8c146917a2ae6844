/** A kernel as a plain declaration: a WGSL entry point with named tensors, named dimensions, parameters and a grid. */
import { EngineError } from "./errors";
import { readInterface, type ShaderInterface } from "./wgsl";

/** Dimension names per tensor, outermost first; "*" stands for any size. */
export type TensorDeclarations = Readonly<Record<string, readonly string[]>>;
export type Sizes = Readonly<Record<string, number>>;

export interface KernelDeclaration<
  Reads extends TensorDeclarations = TensorDeclarations,
  Writes extends TensorDeclarations = TensorDeclarations,
  Param extends string = string,
> {
  /** "file.entry", for messages and the profiler. */
  readonly name: string;
  /** WGSL, shared snippets already in front. */
  readonly source: string;
  readonly entry: string;
  readonly reads: Reads;
  /** Made by the call, or given to it and then updated in place. */
  readonly writes: Writes;
  /** What a call gives beside tensors: scalars, and dimensions that no read tensor has. */
  readonly params: readonly Param[];
  /** Pipeline-overridable constants: tile and workgroup sizes, weight forms. Never a sequence length. */
  readonly overrides?: Readonly<Record<string, number>>;
  /** Module constants put in front of the source where WGSL wants a const-expression (private array lengths). */
  readonly constants?: Readonly<Record<string, number>>;
  /** Workgroups for the sizes of one replay; a 0 skips the call. `overrides` are this kernel's. */
  readonly grid: (sizes: Sizes, overrides: Readonly<Record<string, number>>) => readonly [number, number?, number?];
  /** Multiply-adds count as two; for benchmarks only. */
  readonly flops?: (sizes: Sizes) => number;
}

export interface Kernel<
  Reads extends TensorDeclarations = TensorDeclarations,
  Writes extends TensorDeclarations = TensorDeclarations,
  Param extends string = string,
> extends KernelDeclaration<Reads, Writes, Param> {
  readonly overrides: Readonly<Record<string, number>>;
  readonly constants: Readonly<Record<string, number>>;
  readonly shader: ShaderInterface;
  /** Two kernels with the same key share a pipeline. */
  readonly key: string;
  /** The same kernel with other constants. */
  with(change: {
    readonly overrides?: Readonly<Record<string, number>>;
    readonly constants?: Readonly<Record<string, number>>;
  }): Kernel<Reads, Writes, Param>;
}

/** Checks the declaration against the WGSL. Throws `EngineError` where a name or an access does not match. */
export function kernel<
  const Reads extends TensorDeclarations,
  const Writes extends TensorDeclarations,
  const Param extends string,
>(declaration: KernelDeclaration<Reads, Writes, Param>): Kernel<Reads, Writes, Param> {
  const { name, source, reads, writes, params } = declaration;
  const overrides = declaration.overrides ?? {};
  const constants = declaration.constants ?? {};
  const shader = readInterface(name, source);
  for (const [tensor, access] of [
    ...Object.keys(reads).map((tensor) => [tensor, "read"] as const),
    ...Object.keys(writes).map((tensor) => [tensor, "read_write"] as const),
  ]) {
    const binding = shader.storage.get(tensor);
    if (!binding) throw new EngineError(`${name}: the shader has no storage binding named "${tensor}".`);
    if (binding.access !== access) {
      throw new EngineError(
        `${name}: "${tensor}" is ${binding.access} in the shader, the declaration needs ${access}.`,
      );
    }
  }
  const fields = new Set(shader.params.map((field) => field.name));
  const dims = new Set(Object.values({ ...reads, ...writes }).flat());
  for (const param of params) {
    if (!fields.has(param) && !dims.has(param)) {
      throw new EngineError(`${name}: the parameter "${param}" is neither a field of Params nor a dimension.`);
    }
  }
  if (!new RegExp(`@compute[^{]*\\bfn\\s+${declaration.entry}\\b`).test(source)) {
    throw new EngineError(`${name}: the shader has no entry point "${declaration.entry}".`);
  }
  return {
    ...declaration,
    overrides,
    constants,
    shader,
    key: `${declaration.entry} ${JSON.stringify(overrides)} ${JSON.stringify(constants)}\n${source}`,
    with: (change) =>
      kernel({
        ...declaration,
        overrides: { ...overrides, ...change.overrides },
        constants: { ...constants, ...change.constants },
      }),
  };
}

/** The text that goes to the compiler: constants first. */
export function shaderText(of: Kernel): string {
  const prelude = Object.entries(of.constants).map(([name, value]) => `const ${name}: u32 = ${value}u;\n`);
  return prelude.join("") + of.source;
}
