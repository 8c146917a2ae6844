/** A defect of a Parquet file, before the file's name is put to it; `parquet.ts` turns it into a `DataError`. */
export class FormatFault extends Error {
  override readonly name = "FormatFault";
  readonly remedy: string;

  constructor(problem: string, remedy = "write the file again or download it again") {
    super(problem);
    this.remedy = remedy;
  }
}
