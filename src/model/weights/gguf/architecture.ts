/** What GGUF needs to know of one architecture. One architecture = one file beside this one and its line in `architectures.ts`. */
import type { GgufHeader } from "./header";

/** Rows of the file's tensor in the order of Hugging Face's. */
export interface RowOrder {
  /** Row r of the result is row `source(r)` of the file. */
  readonly source: (row: number) => number;
  /** Rows that lie in one place of the file: pieces are cut between them. */
  readonly step: number;
}

/** Where a tensor of the file belongs. */
export interface TensorPlace {
  /** Hugging Face name. */
  readonly name: string;
  /** Absent where both have the same order. */
  readonly order?: RowOrder | undefined;
  /** What a value of the file is changed by, and how that is said. */
  readonly shift?: { readonly add: number; readonly note: string } | undefined;
}

export interface GgufArchitecture {
  /** `general.architecture`. */
  readonly id: string;
  /**
   * The fields of a Hugging Face config.json, from the metadata. `vocabulary` is the number of tokens that the file lists.
   * Throws `WeightsError` naming the key that is missing, out of range or asks for something not built.
   */
  config(header: GgufHeader, vocabulary: number): Promise<Readonly<Record<string, unknown>>>;
  /** null where the model has no such tensor. */
  place(name: string, header: GgufHeader): TensorPlace | null;
}
