/**
 * com.microsoft MatMulNBits: y = x·Wᵀ with W [N, K] in 4-bit blocks of 32 along K. Inputs: A, B [N, ⌈K/32⌉, 16] uint8,
 * scales [N·⌈K/32⌉], optional packed zero points, g_idx and bias. Source: ONNX Runtime's contrib operator documentation.
 */
import { WeightsError } from "../errors";
import { checkFinite, toFloat32 } from "./bytes";
import type { OnnxGraph } from "./onnx-file";
import { moduleOfNode } from "./onnx-names";
import type { NodeProto } from "./onnx-proto/onnx_pb";
import type { OnnxStorage, StoredTensor } from "./onnx-storage";
import type { WeightData, WeightInfo } from "./types";

const block = 32;
const maxFeatures = 2 ** 24;

export interface QuantizedLinear {
  readonly info: WeightInfo;
  /** The operator's own bias input, where it has one; its name is the module's with ".bias". */
  readonly bias: StoredTensor | null;
  read(): Promise<WeightData>;
}

/** Throws `WeightsError` for another bit width or block size, float zero points, reordered columns, or parts of the wrong size. */
export async function readMatMulNBits(
  node: NodeProto,
  graph: OnnxGraph,
  storage: OnnxStorage,
  file: string,
): Promise<QuantizedLinear> {
  const label = `${file}: node "${node.name.slice(0, 200)}"`;
  const module = moduleOfNode(node.name);
  if (module === null) {
    throw new WeightsError(
      `${label} is quantized but its name is no module path such as /model/layers.0/mlp/up_proj/MatMul_Q4; export the model again.`,
    );
  }
  const attribute = (name: string, fallback?: number): number => {
    const found = node.attribute.find((candidate) => candidate.name === name);
    const value = found ? Number(found.i) : fallback;
    if (value === undefined) throw new WeightsError(`${label} lacks the attribute ${name}; the file is damaged.`);
    return value;
  };
  const bits = attribute("bits", 4);
  if (bits !== 4)
    throw new WeightsError(
      `${label} holds ${bits}-bit weights; only 4-bit ones can be read, use the q4 file of the model.`,
    );
  const blockSize = attribute("block_size");
  if (blockSize !== block) {
    throw new WeightsError(
      `${label} has blocks of ${blockSize}; only blocks of ${block} can be read, quantize the model with block size ${block}.`,
    );
  }
  const [outFeatures, inFeatures] = [attribute("N"), attribute("K")];
  for (const [name, value] of [
    ["N", outFeatures],
    ["K", inFeatures],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < 1 || value > maxFeatures) {
      throw new WeightsError(
        `${label} has ${name} = ${value}; it must be from 1 to ${maxFeatures}, the file is damaged.`,
      );
    }
  }
  const part = async (index: number, role: string): Promise<StoredTensor | null> => {
    const name = node.input[index];
    if (name === undefined || name === "") return null;
    const initializer = graph.initializers.get(name);
    if (!initializer)
      throw new WeightsError(
        `${label} takes its ${role} from "${name.slice(0, 200)}", which is no initializer of the file; export the model again.`,
      );
    return storage.locate(initializer);
  };
  const sized = (tensor: StoredTensor | null, role: string, count: number): StoredTensor => {
    if (tensor?.count === count) return tensor;
    throw new WeightsError(
      `${label} is [${outFeatures}, ${inFeatures}], so its ${role} must have ${count} values, not ${tensor?.count ?? "none"}; the file is damaged.`,
    );
  };
  const blocks = Math.ceil(inFeatures / block);
  const data = sized(await part(1, "weights"), "weights", (outFeatures * blocks * block) / 2);
  if (data.form !== "u8")
    throw new WeightsError(`${label} has weights of type ${data.form}; they must be uint8, export the model again.`);
  const scales = sized(await part(2, "scales"), "scales", outFeatures * blocks);
  const scaleForm = scales.form;
  if (scaleForm === "u8")
    throw new WeightsError(`${label} has scales of type u8; they must be float or float16, export the model again.`);
  const zeroPart = await part(3, "zero points");
  if (zeroPart && zeroPart.form !== "u8") {
    throw new WeightsError(
      `${label} has zero points of type ${zeroPart.form}; only packed uint8 ones can be read, quantize the model with integer zero points.`,
    );
  }
  const zeros = zeroPart && sized(zeroPart, "packed zero points", outFeatures * Math.ceil(blocks / 2));
  if (node.input[4])
    throw new WeightsError(
      `${label} reorders its columns (g_idx), which cannot be read; quantize the model without it.`,
    );
  const biasPart = await part(5, "bias");
  const shape = [outFeatures, inFeatures] as const;
  const name = `${module}.weight`;
  return {
    info: { name, form: "int4", shape, bytes: data.bytes + scales.bytes + (zeros?.bytes ?? 0) },
    bias: biasPart && sized(biasPart, "bias", outFeatures),
    async read() {
      const scaleBytes = await scales.read();
      checkFinite(scaleForm, scaleBytes, scales.file, scales.name);
      return {
        form: "int4",
        shape,
        data: await data.read(),
        scales: toFloat32(scaleForm, scaleBytes),
        zeros: zeros && (await zeros.read()),
      };
    },
  };
}
