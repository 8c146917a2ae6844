/** The fused loss against float64: more targets than a chunk, an odd vocabulary, tokens without loss, large logits. */
import { describe, it } from "vitest";
import type { Graph } from "../../src/engine/graph";
import type { Tensor } from "../../src/engine/tensor";
import { linearCrossEntropy } from "../../src/ops/linear-cross-entropy";
import { checkOp } from "../support/check-op";
import { testDevice } from "../support/gpu";
import { random } from "../support/random";
import { type FormCase, formCases, formMatrix } from "./frozen-forms";

const device = await testDevice();

const int4 = { name: "int4 with zeros", form: "int4", zeros: true } as const;
const cases: readonly { tokens: number; targets: number; columns: number; vocabulary: number; form: FormCase }[] = [
  { tokens: 1, targets: 1, columns: 32, vocabulary: 8, form: int4 },
  { tokens: 7, targets: 3, columns: 36, vocabulary: 131, form: int4 },
  { tokens: 130, targets: 129, columns: 64, vocabulary: 70, form: int4 },
  // More rows than a grid axis holds.
  { tokens: 65_600, targets: 33_000, columns: 4, vocabulary: 8, form: int4 },
  { tokens: 140, targets: 64, columns: 32, vocabulary: 33, form: int4 },
  ...formCases.map((form) => ({ tokens: 9, targets: 5, columns: 36, vocabulary: 21, form })),
];

describe("linear-cross-entropy", () => {
  for (const { tokens, targets, columns, vocabulary, form } of cases) {
    it(`${targets} of ${tokens} tokens, ${columns}→${vocabulary}, ${form.name}`, async () => {
      const { matrix, values } = await formMatrix(device, form, vocabulary, columns);
      const source = random(5);
      const chosen = Array.from({ length: tokens }, (_, token) => token)
        .map((token) => ({ token, key: source.uniform() }))
        .sort((a, b) => a.key - b.key)
        .slice(0, targets)
        .map(({ token }) => token)
        .sort((a, b) => a - b);
      const labels = chosen.map(() => source.integer(0, vocabulary - 1));
      const scale = 0.37;
      await checkOp(device, {
        name: "linear-cross-entropy",
        sizes: { tokens, targets },
        inputs: {
          hidden: { shape: ["tokens", columns] },
          indices: { shape: ["targets"], values: Uint32Array.from(chosen) },
          ids: { shape: ["targets"], values: Uint32Array.from(labels) },
        },
        build: (g: Graph, { hidden, indices, ids }: Record<"hidden" | "indices" | "ids", Tensor>) =>
          linearCrossEntropy(g, hidden, matrix, { indices, ids }, scale),
        reference: ({ hidden }) =>
          chosen.map((token, index) => lossOf(hidden, values, columns, token, labels[index] as number).loss),
        gradientsOf: ["hidden"],
        isLoss: true,
        gradient: ({ hidden }) => {
          const gradient = new Float64Array(hidden.length);
          chosen.forEach((token, index) => {
            const { probabilities } = lossOf(hidden, values, columns, token, labels[index] as number);
            probabilities.forEach((probability, row) => {
              const factor = scale * (probability - (row === labels[index] ? 1 : 0));
              for (let column = 0; column < columns; column += 1) {
                const at = token * columns + column;
                gradient[at] = (gradient[at] as number) + factor * (values[row * columns + column] as number);
              }
            });
          });
          return { hidden: gradient };
        },
      });
    });
  }
});

function lossOf(hidden: Float64Array, weight: Float64Array, columns: number, token: number, label: number) {
  const logits = Array.from({ length: weight.length / columns }, (_, row) => {
    let sum = 0;
    for (let k = 0; k < columns; k += 1)
      sum += (hidden[token * columns + k] as number) * (weight[row * columns + k] as number);
    return sum;
  });
  const largest = Math.max(...logits);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
  return {
    loss: Math.log(total) + largest - (logits[label] as number),
    probabilities: logits.map((logit) => Math.exp(logit - largest) / total),
  };
}
