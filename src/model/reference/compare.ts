/** How far logits [rows, vocabulary] of the GPU are from the twin's, and the loss that the twin's stand for. */

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/** ‖ours − reference‖ / ‖reference‖ */
export function relativeDifference(ours: Float32Array, reference: Float64Array): number {
  let difference = 0;
  for (let i = 0; i < reference.length; i += 1) difference += ((ours[i] as number) - (reference[i] as number)) ** 2;
  return Math.sqrt(difference / dot(reference, reference));
}

/** Share of rows with the same largest logit; where our choice is within `tolerance` · RMS of the twin's, it counts as the same. */
export function sameTop1(ours: Float32Array, reference: Float64Array, rows: number, tolerance: number): number {
  const vocabulary = reference.length / rows;
  let same = 0;
  for (let row = 0; row < rows; row += 1) {
    const theirs = reference.subarray(row * vocabulary, (row + 1) * vocabulary);
    const chosen = largestAt(ours.subarray(row * vocabulary, (row + 1) * vocabulary));
    const behind = (theirs[largestAt(theirs)] as number) - (theirs[chosen] as number);
    if (behind <= tolerance * Math.sqrt(dot(theirs, theirs) / vocabulary)) same += 1;
  }
  return same / rows;
}

/** Mean cross-entropy in nats of each id after the first, given the logits at the one before. */
export function meanLoss(logits: Float64Array, ids: readonly number[]): number {
  const vocabulary = logits.length / ids.length;
  let total = 0;
  for (let token = 0; token + 1 < ids.length; token += 1) {
    const row = logits.subarray(token * vocabulary, (token + 1) * vocabulary);
    const largest = row[largestAt(row)] as number;
    const sum = row.reduce((so, value) => so + Math.exp(value - largest), 0);
    total += largest + Math.log(sum) - (row[ids[token + 1] ?? -1] ?? Number.NaN);
  }
  return total / (ids.length - 1);
}

function largestAt(values: Float32Array | Float64Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i += 1) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}
