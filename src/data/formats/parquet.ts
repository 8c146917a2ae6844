/** Apache Parquet. Its reader loads with the first such file. */
import type { SpooledFormat } from "./types";

export const format: SpooledFormat = {
  id: "parquet",
  label: "Parquet",
  access: "spooled",
  match(head, name) {
    const [p, a, r, one] = head;
    if (p === 0x50 && a === 0x41 && r === 0x52 && (one === 0x31 || one === 0x45)) return 1;
    return /\.parquet$/i.test(name) ? 0.3 : 0;
  },
  async *rows(...file) {
    const { readParquet } = await import("./parquet/read");
    yield* readParquet(...file);
  },
};
