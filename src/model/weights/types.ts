/** What a weight file gives: names and shapes at once, bytes on request. One file format = one file beside this one. */

/** Files of one model folder, by path relative to it ("onnx/model_q4.onnx"). Blobs are read in slices, never whole unless small. */
export interface ModelFiles {
  /** How messages name the folder. */
  readonly name: string;
  readonly paths: readonly string[];
  /** Throws `ModelError` naming the path where the file does not exist. */
  open(path: string): Promise<Blob>;
}

/** Quantized blocks stay as they lie in the file. `shape` is always the logical [out, in] (or [size] for vectors). */
export type WeightData =
  | { readonly form: "f32" | "f16" | "bf16"; readonly shape: readonly number[]; readonly data: Uint8Array<ArrayBuffer> }
  | {
      /** w[o][i] = data[o][i] · scales[o][⌊i / group⌋] + offsets[o][⌊i / group⌋]; data is signed, row-major. */
      readonly form: "int8";
      readonly shape: readonly [number, number];
      readonly group: number;
      readonly data: Uint8Array<ArrayBuffer>;
      readonly scales: Float32Array<ArrayBuffer>;
      /** One for each scale; absent means 0. */
      readonly offsets?: Float32Array<ArrayBuffer>;
    }
  | {
      /**
       * ONNX MatMulNBits, 4 bits, block 32: data [out, ⌈in/32⌉, 16] bytes, low nibble first;
       * w[o][i] = (q − zero) · scales[o][⌊i/32⌋]; zeros [out, ⌈⌈in/32⌉/2⌉] bytes, low nibble first; null means 8.
       * With offsets there are no zeros, and w[o][i] = q · scales[o][⌊i/32⌋] + offsets[o][⌊i/32⌋].
       */
      readonly form: "int4";
      readonly shape: readonly [number, number];
      readonly data: Uint8Array<ArrayBuffer>;
      readonly scales: Float32Array<ArrayBuffer>;
      readonly zeros: Uint8Array<ArrayBuffer> | null;
      readonly offsets?: Float32Array<ArrayBuffer>;
    };

export interface WeightInfo {
  /** Hugging Face name, e.g. "model.layers.0.self_attn.q_proj.weight". */
  readonly name: string;
  readonly form: WeightData["form"];
  readonly shape: readonly number[];
  /** Bytes it takes in the file, scales and zero points included. */
  readonly bytes: number;
}

export interface WeightSource {
  /** Format name for messages: "safetensors", "onnx". */
  readonly format: string;
  readonly tensors: ReadonlyMap<string, WeightInfo>;
  /** What is held in another form than the file's, with the same values: "Q4_K as int4 by 32 with offsets". */
  readonly held?: readonly string[];
  /** Throws `WeightsError` where the name is unknown, the bytes are short, or a float value or scale is not finite. */
  read(name: string): Promise<WeightData>;
}

/** One weight file format. */
export interface WeightFormat {
  readonly id: string;
  /** The paths of a model folder that this format would open, in order of preference; empty where it does not apply. */
  match(paths: readonly string[]): readonly string[];
  open(files: ModelFiles, paths: readonly string[]): Promise<WeightSource>;
}
