/** Tensor lists that several architectures have in common. */
import type { TensorSpec } from "../../architecture";

/** A linear module [out, in], with a bias where it has one. */
export function linearTensors(module: string, out: number, inFeatures: number, bias = false): TensorSpec[] {
  return [
    { name: `${module}.weight`, shape: [out, inFeatures] },
    ...(bias ? [{ name: `${module}.bias`, shape: [out] } as const] : []),
  ];
}

/** A `Conv1D` of transformers: a linear module whose checkpoint is [in, out], always with a bias. */
export function conv1dTensors(module: string, out: number, inFeatures: number): TensorSpec[] {
  return [
    { name: `${module}.weight`, shape: [out, inFeatures], conv1d: true },
    { name: `${module}.bias`, shape: [out] },
  ];
}

export const normTensor = (module: string, size: number): TensorSpec => ({ name: `${module}.weight`, shape: [size] });

export const layerNormTensors = (module: string, size: number): TensorSpec[] => [
  { name: `${module}.weight`, shape: [size] },
  { name: `${module}.bias`, shape: [size] },
];

/** One list per layer, joined. */
export const perLayer = (layers: number, tensors: (layer: number) => readonly TensorSpec[]): TensorSpec[] =>
  Array.from({ length: layers }, (_, layer) => tensors(layer)).flat();
