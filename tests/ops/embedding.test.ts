/** Embedding rows in every stored form, at widths that end within a block of eight or 32. */
import { describe, it } from "vitest";
import { embedding } from "../../src/ops/embedding";
import type { FrozenForm } from "../../src/ops/lib/frozen";
import { checkOp } from "../support/check-op";
import { testMatrix } from "../support/frozen";
import { testDevice } from "../support/gpu";
import { random } from "../support/random";

const device = await testDevice();

const forms: readonly { form: FrozenForm; zeros?: boolean; offsets?: boolean; group?: number }[] = [
  { form: "f32" },
  { form: "f16" },
  { form: "bf16" },
  { form: "int8", group: 32 },
  { form: "int8", group: 20 },
  { form: "int8", group: 20, offsets: true },
  { form: "int4" },
  { form: "int4", zeros: true },
  { form: "int4", offsets: true },
];

describe("embedding", () => {
  for (const form of forms) {
    for (const [tokens, rows, columns] of [
      [1, 1, 32],
      [7, 11, 36],
      [130, 67, 100],
    ] as const) {
      const name = `${form.form}${form.zeros ? " with zeros" : ""}${form.offsets ? " with offsets" : ""}${form.group ? ` by ${form.group}` : ""}`;
      it(`${name}, ${tokens} of ${rows} rows of ${columns}`, async () => {
        const { matrix, values } = await testMatrix(device, { ...form, rows, columns });
        const source = random(tokens);
        // The last row among them: nothing lies behind it.
        const ids = Uint32Array.from({ length: tokens }, (_, token) =>
          token === 0 ? rows - 1 : source.integer(0, rows - 1),
        );
        await checkOp(device, {
          name,
          sizes: { tokens },
          inputs: { ids: { shape: ["tokens"], values: ids } },
          build: (g, tensors) => embedding(g, tensors.ids, matrix, 1.5),
          reference: () =>
            Float64Array.from(
              { length: tokens * columns },
              (_, index) =>
                1.5 * (values[(ids[Math.floor(index / columns)] as number) * columns + (index % columns)] as number),
            ),
          tolerance: 1e-7,
        });
      });
    }
  }
});
