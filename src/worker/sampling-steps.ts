/** When a run is sampled. */

/** Steps after which a run of `steps` is sampled, 0 and the last among them; null: each quarter. */
export function samplingSteps(steps: number, every: number | null): ReadonlySet<number> {
  const places = new Set([0, steps]);
  if (every === null) {
    for (const quarter of [1, 2, 3]) places.add(Math.round((quarter * steps) / 4));
    return places;
  }
  const stride = Math.max(1, Math.floor(every));
  for (let step = stride; step < steps; step += stride) places.add(step);
  return places;
}
