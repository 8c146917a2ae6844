/** What a GPU has to offer: read from every kernel there is, so that none needs more than is asked for. */
import { describe, expect, it, vi } from "vitest";
import type { KernelDeclaration } from "../../src/engine/kernel";
import { limitShortfall, neededLimits } from "../../src/engine/limits";

const declared = vi.hoisted((): KernelDeclaration[] => []);
vi.mock("../../src/engine/kernel", async (original) => {
  const module = await original<typeof import("../../src/engine/kernel")>();
  const kernel: typeof module.kernel = (declaration) => {
    declared.push(declaration);
    return module.kernel(declaration);
  };
  return { ...module, kernel };
});
await Promise.all(Object.values(import.meta.glob("../../src/ops/*.ts")).map((load) => load()));

const largest = (values: readonly number[]): number => Math.max(...values);

/** Threads of a workgroup along x, y and z, with the declaration's constants in place of the shader's. */
function workgroup({ source, entry, overrides = {} }: KernelDeclaration): number[] {
  const found = new RegExp(`@workgroup_size\\(([^)]*)\\)\\s*fn\\s+${entry}\\b`).exec(source);
  if (found?.[1] === undefined) throw new TypeError(`${entry} has no workgroup size`);
  return found[1].split(",").map((part) => constant(source, part.trim(), overrides));
}

function constant(source: string, name: string, overrides: Readonly<Record<string, number>>): number {
  const value = overrides[name] ?? new RegExp(`override ${name}: u32 = (\\d+)u`).exec(source)?.[1] ?? name;
  expect(Number(value), name).toBeGreaterThan(0);
  return Number(value);
}

/** Bytes of all workgroup arrays of the source, used by the entry or not. */
function shared({ source, overrides = {} }: KernelDeclaration): number {
  return [...source.matchAll(/var<workgroup>\s*\w+:\s*([^;]+);/g)]
    .map(([, type = ""]) => {
      const sized = /^array<f32,\s*(\w+)>$/.exec(type)?.[1];
      if (sized === undefined) throw new TypeError(`an array of another type: ${type}`);
      return 4 * constant(source, sized, overrides);
    })
    .reduce((sum, bytes) => sum + bytes, 0);
}

describe("the limits that are asked for", () => {
  it("are what the kernels take at most", () => {
    expect(declared.length).toBeGreaterThan(25);
    const sizes = declared.map(workgroup);
    expect({
      maxStorageBuffersPerShaderStage: largest(
        declared.map(({ reads, writes }) => Object.keys(reads).length + Object.keys(writes).length),
      ),
      maxComputeInvocationsPerWorkgroup: largest(sizes.map((size) => size.reduce((threads, n) => threads * n, 1))),
      maxComputeWorkgroupSizeX: largest(sizes.map(([x = 1]) => x)),
      maxComputeWorkgroupSizeY: largest(sizes.map(([, y = 1]) => y)),
      maxComputeWorkgroupStorageSize: largest(declared.map(shared)),
    }).toEqual(
      Object.fromEntries(
        Object.entries(neededLimits).filter(([name]) => !/WorkgroupsPerDimension|BindingSize|BufferSize/.test(name)),
      ),
    );
  });

  it("are no more than every full adapter has", () => {
    const full = {
      maxStorageBuffersPerShaderStage: 8,
      maxComputeInvocationsPerWorkgroup: 256,
      maxComputeWorkgroupSizeX: 256,
      maxComputeWorkgroupSizeY: 256,
      maxComputeWorkgroupStorageSize: 16_384,
      maxComputeWorkgroupsPerDimension: 65_535,
      maxStorageBufferBindingSize: 128 * 2 ** 20,
      maxBufferSize: 256 * 2 ** 20,
    };
    expect(limitShortfall(full)).toBeNull();
    // WebGPU's floor for reduced adapters.
    expect(
      limitShortfall({ ...full, maxComputeInvocationsPerWorkgroup: 128, maxComputeWorkgroupSizeX: 128 }),
    ).toBeNull();
  });

  it.each(Object.entries(neededLimits))("%s is named where it is one too low", (limit, needed) => {
    expect(limitShortfall(neededLimits)).toBeNull();
    expect(limitShortfall({ ...neededLimits, [limit]: needed - 1 })).toEqual({ limit, needed, offered: needed - 1 });
  });
});
