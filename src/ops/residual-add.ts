/** The residual stream's addition. Its gradient is handed to both sides uncopied. */
import source from "../../shaders/residual-add.wgsl?raw";
import type { Graph } from "../engine/graph";
import { kernel } from "../engine/kernel";
import type { Tensor } from "../engine/tensor";
import { foldedGrid, requireVec4 } from "./lib/grid";

const forward = kernel({
  name: "residual-add.forward",
  source,
  entry: "forward",
  reads: { a: ["tokens", "width"], b: ["tokens", "width"] },
  writes: { y: ["tokens", "width"] },
  params: [],
  overrides: { WORKGROUP: 64 },
  grid: ({ tokens = 0, width = 0 }, { WORKGROUP = 1 }) => foldedGrid(Math.ceil((tokens * width) / 4 / WORKGROUP)),
});

/**
 * a + b, both [tokens, width], width a multiple of 4. Neither side may have a gradient already when this one's backward
 * runs (`Graph.passGradient` refuses it): of everything that uses a or b, this addition must be recorded last.
 */
export function residualAdd(g: Graph, a: Tensor, b: Tensor): Tensor {
  requireVec4("residual-add", "a", a);
  const { y } = g.run(forward, { a, b }, {});
  g.onBackward(y, [a, b], (dy) => {
    g.passGradient(a, dy);
    g.passGradient(b, dy);
  });
  return y;
}
