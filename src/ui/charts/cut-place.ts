/** Where the max length falls in a histogram whose bins are drawn equally wide, whatever lengths they span. */

/** In bins from the left; null where every length is within the limit. */
export function cutPlace(edges: readonly number[], maxLength: number): number | null {
  const last = edges.at(-1);
  // The last edge is one past the longest length: a limit right below it cuts nothing.
  if (last === undefined || edges.length < 2 || maxLength >= last - 1) return null;
  const next = edges.findIndex((edge) => edge > maxLength);
  const [from, to] = [edges[next - 1], edges[next]];
  if (from === undefined || to === undefined) return 0;
  return next - 1 + (maxLength - from) / (to - from);
}
