/** What the 16 codes of the four-bit forms stand for; shaders/lib/frozen.wgsl holds the same numbers. Source: bitsandbytes. */

/** Quantiles of the normal distribution (Dettmers et al. 2023, QLoRA, appendix E), ascending. */
export const nf4Values: Float32Array<ArrayBuffer> = Float32Array.of(
  -1,
  -0.6961928009986877,
  -0.5250730514526367,
  -0.39491748809814453,
  -0.28444138169288635,
  -0.18477343022823334,
  -0.09105003625154495,
  0,
  0.07958029955625534,
  0.16093020141124725,
  0.24611230194568634,
  0.33791524171829224,
  0.44070982933044434,
  0.5626170039176941,
  0.7229568362236023,
  1,
);

const fp4Magnitudes = [0, 0.0625, 8, 12, 4, 6, 2, 3];

/** A sign bit above eight magnitudes, over the largest of them; code 8 is −0. */
export const fp4Values: Float32Array<ArrayBuffer> = Float32Array.from(
  [...fp4Magnitudes, ...fp4Magnitudes.map((magnitude) => -magnitude)],
  (value) => value / 12,
);
