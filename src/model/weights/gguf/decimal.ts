/** Metadata keep float32 where config.json has decimals: 1e-5 and not 9.999999747378752e-6. */
export function shortest(value: number): number {
  const short = Number(value.toPrecision(7));
  return Math.fround(short) === Math.fround(value) ? short : value;
}
