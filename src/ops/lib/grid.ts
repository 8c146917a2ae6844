/** Dispatch sizes and width checks that several ops share. */
import { type Dim, showDim } from "../../engine/dims";
import { ShapeError } from "../../engine/errors";
import type { Tensor } from "../../engine/tensor";

const maxWorkgroups = 65535;

/**
 * `count` workgroups as a grid of one row, or of several where WebGPU's limit along an axis asks for it. The shader's
 * index is `group.x + group.y * groups.x`; the last row may go past `count`.
 */
export function foldedGrid(count: number): readonly [number, number] {
  const rows = Math.max(1, Math.ceil(count / maxWorkgroups));
  return [Math.ceil(count / rows), rows];
}

/** Throws `ShapeError` unless the innermost size is a fixed multiple of 4: the kernel reads vec4. */
export function requireVec4(op: string, name: string, tensor: Tensor): number {
  const width: Dim | undefined = tensor.shape.at(-1);
  if (typeof width === "number" && width > 0 && width % 4 === 0) return width;
  throw new ShapeError(
    `${op}: ${name} has rows of ${width === undefined ? "no size" : showDim(width)}; they must be a fixed multiple of 4.`,
  );
}
