/** GGUF's factors are half floats: rounds one, and refuses what they cannot hold. */
import { f16round } from "@petamoriken/float16";
import { WeightsError } from "../errors";

/** Throws `WeightsError` past ±65504, naming the tensor. */
export function halfFactor(value: number, name: string): number {
  const half = f16round(value);
  if (Number.isFinite(half)) return half;
  throw new WeightsError(
    `${name} needs a scale or offset of ${value.toPrecision(4)} when quantized, past the 65504 of a half float; load this model without quantization or as NF4.`,
  );
}

/** 1/scale in float32, 0 where that is infinite: the scale rounds to 0 then, whatever the codes are. */
export function inverse(scale: number): number {
  const value = Math.fround(1 / scale);
  return Number.isFinite(value) ? value : 0;
}
