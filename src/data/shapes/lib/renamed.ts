/** Errors of a shape in the words of the file: the column's name in place of the field's. */
import { DataError, shorten } from "../../errors";

/** What `run` gives. A `DataError` of a field that `names` has is thrown again with that name. */
export function renamed<T>(names: ReadonlyMap<string, string>, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof DataError) || error.field === null) throw error;
    const head = /^[^.[]*/.exec(error.field)?.[0] ?? "";
    const name = names.get(head);
    if (name === undefined || name === head) throw error;
    const field = `${shorten(name)}${error.field.slice(head.length)}`;
    const { file, line, column, kind, problem, remedy } = error;
    throw new DataError({ file, line, column, kind, field, problem, remedy }, { cause: error.cause });
  }
}
