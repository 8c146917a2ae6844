/** Sizes of a frozen matrix's buffers, where its pieces go, and values that come out to the bit. */
import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/engine/graph";
import { embedding } from "../../../src/ops/embedding";
import { type FrozenLayout, frozenBytes, pieceOffsets, pieceStep } from "../../../src/ops/lib/frozen";
import { runOnce, testDevice, upload } from "../../support/gpu";
import { formCases, formMatrix } from "../frozen-forms";

const device = await testDevice();

describe("a frozen matrix", () => {
  // An offset is a second rounding, and a GPU may fuse the two.
  it.each(formCases.filter(({ offsets }) => !offsets))(
    "$name gives the reference decoder's float32 to the bit",
    async (form) => {
      const [rows, columns] = [9, 100];
      const { matrix, values } = await formMatrix(device, form, rows, columns);
      const g = new Graph({ gradients: false });
      const ids = await upload(
        device,
        "ids",
        [rows],
        Uint32Array.from({ length: rows }, (_, row) => row),
      );
      const { y } = await runOnce(device, g, { y: embedding(g, ids, matrix) });
      // A GPU may lose the sign of a zero.
      expect(y.map((value) => value + 0)).toEqual(Float32Array.from(values, (value) => value + 0));
    },
  );

  it.each(formCases)("$name takes as many bytes as it says", async (form) => {
    const [rows, columns] = [7, 100];
    const { matrix } = await formMatrix(device, form, rows, columns);
    const size = (tensor: typeof matrix.scales) => 4 * Number(tensor?.shape[0] ?? 0);
    const layout: FrozenLayout = {
      form: form.form,
      ...(form.group ? { group: form.group } : {}),
      ...(form.zeros ? { correction: "zeros" } : form.offsets ? { correction: "offsets" } : {}),
    };
    expect(frozenBytes(layout, rows, columns)).toEqual({
      data: size(matrix.data),
      scales: size(matrix.scales),
      zeros: size(matrix.offsets ?? matrix.zeros),
    });
  });

  it("is cut into pieces that start at whole words and blocks", () => {
    const nf4: FrozenLayout = { form: "nf4", group: 64 };
    expect(pieceStep({ form: "f16" }, 100)).toBe(4);
    expect(pieceStep(nf4, 128)).toBe(4);
    expect(pieceStep(nf4, 36)).toBe(16);
    expect(pieceStep({ form: "fp4", group: 4096 }, 36)).toBe(1024);
    expect(pieceOffsets({ form: "f16" }, 100, 4)).toEqual({ data: 800, scales: 0, zeros: 0 });
    expect(pieceOffsets({ form: "int8", group: 20, correction: "zeros" }, 100, 8)).toEqual({
      data: 800,
      scales: 160,
      zeros: 160,
    });
    expect(pieceOffsets({ form: "int4", correction: "zeros" }, 36, 4)).toEqual({ data: 128, scales: 32, zeros: 4 });
    expect(pieceOffsets({ form: "int4", correction: "offsets" }, 36, 4)).toEqual({ data: 128, scales: 32, zeros: 32 });
    expect(pieceOffsets(nf4, 36, 16)).toEqual({ data: 288, scales: 36, zeros: 0 });
    expect(() => pieceOffsets(nf4, 36, 4)).toThrow("A piece of a matrix in nf4 starts at row 4, no multiple of 16.");
    expect(() => frozenBytes({ form: "nf4" }, 4, 4)).toThrow("A matrix in nf4 has scales for undefined values");
  });
});
