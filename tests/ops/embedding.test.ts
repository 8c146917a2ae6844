/** Embedding rows in every stored form, at widths that end within a block of eight or 32. */
import { describe, it } from "vitest";
import { embedding } from "../../src/ops/embedding";
import { checkOp } from "../support/check-op";
import { testDevice } from "../support/gpu";
import { random } from "../support/random";
import { formCases, formMatrix } from "./frozen-forms";

const device = await testDevice();

describe("embedding", () => {
  for (const form of formCases) {
    for (const [tokens, rows, columns] of [
      [1, 1, 32],
      [7, 11, 36],
      [130, 67, 100],
    ] as const) {
      it(`${form.name}, ${tokens} of ${rows} rows of ${columns}`, async () => {
        const { matrix, values } = await formMatrix(device, form, rows, columns);
        const source = random(tokens);
        // The last row among them: nothing lies behind it.
        const ids = Uint32Array.from({ length: tokens }, (_, token) =>
          token === 0 ? rows - 1 : source.integer(0, rows - 1),
        );
        await checkOp(device, {
          name: form.name,
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
