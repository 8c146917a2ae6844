/** Which rows are held out: the first ones of a seeded permutation of all rows, so that membership needs no memory. */
import { type Permutation, seededPermutation } from "../permutation";

/** Streams of `seededPermutation`: the split has one, every epoch another. */
const splitStream = 0;

export interface Split {
  readonly heldOut: number;
  readonly trained: number;
  isHeldOut(row: number): boolean;
  /** 0 ≤ index < heldOut. As the split is random, any stretch of indices is an even sample. */
  heldOutRow(index: number): number;
  /** 0 ≤ index < trained. */
  trainedRow(index: number): number;
  /** Every trained row once: shuffled by seed and epoch, or in file order. */
  visit(order: { readonly seed: number; readonly shuffle: boolean }, epoch: number): Generator<number, void>;
}

/** At least one row stays on either side where `share` is above 0 and there are two. */
export function splitRows(rows: number, share: number, seed: number): Split {
  const heldOut = share > 0 && rows > 1 ? Math.min(rows - 1, Math.max(1, Math.round(rows * share))) : 0;
  const trained = rows - heldOut;
  const all: Permutation = seededPermutation(rows, seed, splitStream);
  const isHeldOut = (row: number) => heldOut > 0 && all.indexOf(row) < heldOut;
  const trainedRow = (index: number) => all.at(heldOut + index);
  return {
    heldOut,
    trained,
    isHeldOut,
    heldOutRow: (index) => all.at(index),
    trainedRow,
    *visit(order, epoch) {
      if (order.shuffle) {
        const epochOrder = seededPermutation(trained, order.seed, 1 + epoch);
        for (let index = 0; index < trained; index++) yield trainedRow(epochOrder.at(index));
        return;
      }
      for (let row = 0; row < rows; row++) if (!isHeldOut(row)) yield row;
    },
  };
}
