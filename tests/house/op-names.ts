/** One stem, three files: shaders/x.wgsl, src/ops/x.ts, tests/ops/x.test.ts. */

/** Stems of the names that end in `suffix`; names in folders below do not count. */
export function stems(names: readonly string[], suffix: string): Set<string> {
  return new Set(
    names.filter((name) => name.endsWith(suffix) && !name.includes("/")).map((name) => name.slice(0, -suffix.length)),
  );
}

/** One sentence for each stem that lacks one of its files. */
export function opNameFaults(
  shaders: ReadonlySet<string>,
  ops: ReadonlySet<string>,
  tests: ReadonlySet<string>,
): string[] {
  const places = [
    { has: shaders, file: (stem: string) => `shaders/${stem}.wgsl` },
    { has: ops, file: (stem: string) => `src/ops/${stem}.ts` },
    { has: tests, file: (stem: string) => `tests/ops/${stem}.test.ts` },
  ];
  const all = [...new Set([...shaders, ...ops, ...tests])].sort();
  return all.flatMap((stem) =>
    places
      .filter(({ has }) => !has.has(stem))
      .map(({ file }) => `The op "${stem}" lacks ${file(stem)}; an op is a shader, a declaration and a test.`),
  );
}
