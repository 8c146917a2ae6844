/** Rows are compared by a 53-bit hash of their tokens: of four million rows, two different ones meet with probability 1e-3. */

/** Of the examples' tokens, one after another. */
export function tokenHash(examples: readonly { readonly ids: Uint32Array }[]): number {
  let low = 0x811c9dc5;
  let high = 0x41c6ce57;
  for (const { ids } of examples) {
    for (const id of ids) {
      low = Math.imul(low ^ id, 0x9e3779b1);
      low ^= low >>> 15;
      high = Math.imul(high ^ id, 0x85ebca77);
      high ^= high >>> 13;
    }
  }
  low = Math.imul(low ^ (high >>> 16), 0xc2b2ae3d);
  high = Math.imul(high ^ (low >>> 13), 0x27d4eb2f);
  return (high & 0x1fffff) * 2 ** 32 + (low >>> 0);
}

/** Whether the hash is among these, which ascend. */
export function contains(sorted: Float64Array, hash: number): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < hash) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === hash;
}

/** Entries of an ascending list that an earlier one equals. */
export function repeats(sorted: Float64Array): number {
  let count = 0;
  for (let index = 1; index < sorted.length; index++) if (sorted[index] === sorted[index - 1]) count++;
  return count;
}
