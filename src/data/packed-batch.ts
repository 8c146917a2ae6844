/** Examples → PackedBatch: documents side by side on one axis, labels shifted inside each. */
import type { PackedBatch, TokenizedExample } from "./types";

/** `targetIndices` point at the token before each label, since its output predicts the label. */
export function makePackedBatch(examples: readonly TokenizedExample[]): PackedBatch {
  const length = examples.reduce((sum, example) => sum + example.ids.length, 0);
  const count = examples.reduce((sum, example) => sum + countTargets(example), 0);
  const ids = new Uint32Array(length);
  const positions = new Uint32Array(length);
  const segmentStart = new Uint32Array(length);
  const segmentEnd = new Uint32Array(length);
  const targetIndices = new Uint32Array(count);
  const targets = new Uint32Array(count);
  let start = 0;
  let target = 0;
  for (const example of examples) {
    const end = start + example.ids.length;
    ids.set(example.ids, start);
    segmentStart.fill(start, start, end);
    segmentEnd.fill(end, start, end);
    for (const [position, id] of example.ids.entries()) {
      positions[start + position] = position;
      if (position === 0 || example.counted[position] !== 1) continue;
      targetIndices[target] = start + position - 1;
      targets[target] = id;
      target++;
    }
    start = end;
  }
  return { ids, positions, segmentStart, segmentEnd, targetIndices, targets };
}

/** Labels of an example; its first token is none whatever `counted` says. */
export function countTargets({ counted }: TokenizedExample): number {
  let count = 0;
  for (let position = 1; position < counted.length; position++) if (counted[position] === 1) count++;
  return count;
}
