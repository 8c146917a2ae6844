/** Reads from WGSL text what the engine needs: the fields of `struct Params` and the storage bindings. The text is the only source of both. */
import { EngineError } from "./errors";
import type { DType } from "./tensor";

export interface ParamsField {
  readonly name: string;
  readonly type: "u32" | "i32" | "f32";
}

export interface StorageBinding {
  readonly binding: number;
  readonly access: "read" | "read_write";
  readonly dtype: DType;
}

export interface ShaderInterface {
  readonly params: readonly ParamsField[];
  readonly paramsBinding: number;
  readonly storage: ReadonlyMap<string, StorageBinding>;
}

const storagePattern =
  /@group\(0\)\s*@binding\((\d+)\)\s*var<storage,\s*(read|read_write)>\s*(\w+)\s*:\s*array<\s*(?:vec[24]<)?(?:atomic<)?(f32|u32|i32)/g;
const uniformPattern = /@group\(0\)\s*@binding\((\d+)\)\s*var<uniform>\s*params\s*:\s*Params/;
const structPattern = /struct\s+Params\s*\{([^}]*)\}/;

/** Throws `EngineError` where the shader lacks `struct Params`, its uniform, or uses a field type other than u32, i32, f32. */
export function readInterface(name: string, source: string): ShaderInterface {
  const text = source.replace(/\/\/[^\n]*/g, "");
  const struct = structPattern.exec(text);
  const uniform = uniformPattern.exec(text);
  if (!struct || !uniform) {
    throw new EngineError(
      `${name}: the shader needs struct Params and @group(0) @binding(N) var<uniform> params: Params.`,
    );
  }
  const params = (struct[1] ?? "")
    .split(",")
    .map((field) => field.trim())
    .filter((field) => field !== "")
    .map((field): ParamsField => {
      const match = /^(\w+)\s*:\s*(u32|i32|f32)$/.exec(field);
      if (!match)
        throw new EngineError(`${name}: Params has the field "${field}"; only u32, i32 and f32 can be filled.`);
      return { name: match[1] as string, type: match[2] as ParamsField["type"] };
    });
  const storage = new Map<string, StorageBinding>();
  for (const match of text.matchAll(storagePattern)) {
    const [, binding, access, variable, scalar] = match;
    storage.set(variable as string, {
      binding: Number(binding),
      access: access as "read" | "read_write",
      dtype: scalar === "f32" ? "f32" : "u32",
    });
  }
  return { params, paramsBinding: Number(uniform[1]), storage };
}
