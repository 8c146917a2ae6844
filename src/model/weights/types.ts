/** What a weight file gives: names and shapes at once, bytes on request. One file format = one file beside this one. */
import type { FrozenLayout } from "../../ops/lib/frozen";

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
      /**
       * w[o][i] = (data[o][i] − zeros[o][⌊i / group⌋]) · scales[o][⌊i / group⌋], or with offsets
       * data[o][i] · scales[o][⌊i / group⌋] + offsets[o][⌊i / group⌋]; data is signed, row-major.
       */
      readonly form: "int8";
      readonly shape: readonly [number, number];
      /** A multiple of 4. */
      readonly group: number;
      readonly data: Uint8Array<ArrayBuffer>;
      readonly scales: Float32Array<ArrayBuffer>;
      /** One for each scale, whole numbers from −256 to 256; absent means 0. */
      readonly zeros?: Float32Array<ArrayBuffer>;
      /** One for each scale; absent means 0. There are never both. */
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
    }
  | {
      /**
       * bitsandbytes and ONNX MatMulBnb4: the row-major matrix in one run of blocks of `group`, which may cross rows;
       * w[k] = code[q[k]] · scales[⌊k / group⌋] for k = o · in + i, data two a byte, high nibble first.
       */
      readonly form: "nf4" | "fp4";
      readonly shape: readonly [number, number];
      /** A multiple of 4. */
      readonly group: number;
      readonly data: Uint8Array<ArrayBuffer>;
      readonly scales: Float32Array<ArrayBuffer>;
    };

/** Consecutive rows of a matrix. */
export interface RowRange {
  readonly first: number;
  readonly count: number;
}

export interface WeightInfo extends FrozenLayout {
  /** Hugging Face name, e.g. "model.layers.0.self_attn.q_proj.weight". */
  readonly name: string;
  readonly shape: readonly number[];
  /** Bytes it takes in the file, scales and zero points included. */
  readonly bytes: number;
  /** Pieces of the matrix begin and end at multiples of it (or at the last row); 1 where absent. */
  readonly rowStep?: number;
}

export interface WeightSource {
  /** Format name for messages: "safetensors", "onnx". */
  readonly format: string;
  /** The file that was opened, of several variants in a folder; absent where the format has no variants. */
  readonly path?: string;
  readonly tensors: ReadonlyMap<string, WeightInfo>;
  /** What is held in another form than the file's, with the same values: "Q4_K as int4 by 32 with offsets". */
  readonly held?: readonly string[];
  /**
   * The whole tensor, or some rows of a matrix, whose `shape` is then [count, in]: large matrices go to the GPU in pieces.
   * The arrays are the caller's, each in a buffer of its own or in one that nobody else reads.
   * Throws `WeightsError` where the name is unknown, the bytes are short, or a float value or scale is not finite.
   */
  read(name: string, rows?: RowRange): Promise<WeightData>;
}

/** What the model expects of its file; sources need it where names or orientation are not to be had from the file alone. */
export interface ExpectedTensor {
  /** Hugging Face name. */
  readonly name: string;
  /** Logical [out, in] or [size]. */
  readonly shape: readonly number[];
  /** A `Conv1D` of transformers (GPT-2): a Hugging Face checkpoint stores it as [in, out]. */
  readonly conv1d?: boolean;
}

/** One weight file format. */
export interface WeightFormat {
  readonly id: string;
  /** The paths of a model folder that this format would open, in order of preference; empty where it does not apply. */
  match(paths: readonly string[]): readonly string[];
  open(files: ModelFiles, paths: readonly string[], expected: readonly ExpectedTensor[]): Promise<WeightSource>;
}
