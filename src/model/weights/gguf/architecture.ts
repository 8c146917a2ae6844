/** What GGUF needs to know of one architecture. One architecture = one file beside this one and its line in `architectures.ts`. */
import type { GgufHeader } from "./header";

export interface GgufArchitecture {
  /** `general.architecture`. */
  readonly id: string;
  /**
   * The fields of a Hugging Face config.json, from the metadata. `vocabulary` is the number of tokens that the file lists.
   * Throws `WeightsError` naming the key that is missing, out of range or asks for something not built.
   */
  config(header: GgufHeader, vocabulary: number): Promise<Readonly<Record<string, unknown>>>;
  /** The Hugging Face name of a tensor; null where the model has no such tensor. */
  tensorName(name: string): string | null;
  /**
   * Rows of the file's tensor in the order of Hugging Face's: row r of the result is row `order(r)` of the file. null where
   * both are in the same order.
   */
  rowOrder(name: string, header: GgufHeader): ((row: number) => number) | null;
}
