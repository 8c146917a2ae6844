/** The row index: offsets and lines as a plain list would give them, in 8 bytes a row; a tampered copy is refused. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RowIndex } from "../../src/data/rows/row-index";

/** Lines of these lengths, blank ones left out. */
function fileOf(lengths: readonly number[]) {
  const text = lengths.map((length) => "x".repeat(length)).join("\n");
  const rows: { start: number; end: number; line: number }[] = [];
  let start = 0;
  for (const [index, length] of lengths.entries()) {
    if (length > 0) rows.push({ start, end: start + length, line: index + 1 });
    start += length + 1;
  }
  return { blob: new Blob([text]), rows };
}

function indexOf(rows: readonly { start: number; end: number; line: number }[]): RowIndex {
  const index = new RowIndex();
  for (const { start, end, line } of rows) expect(index.add(start, end, line)).toBe(true);
  return index;
}

describe("the row index", () => {
  it("gives back every row and its line", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 300 }), async (lengths) => {
        const { blob, rows } = fileOf(lengths);
        const index = indexOf(rows);
        expect(index.rows).toBe(rows.length);
        for (const [row, { start, end, line }] of rows.entries()) {
          expect(index.span(row)).toEqual({ start, end, continues: false });
          expect(await index.line(row, blob, "rows")).toBe(line);
        }
        if (rows.length === 0) return;
        const copy = RowIndex.fromData(structuredClone(index.toData()), blob.size);
        expect(rows.map((_, row) => copy?.span(row))).toEqual(rows.map((_, row) => index.span(row)));
      }),
      { numRuns: 60 },
    );
  });

  it("takes 8 bytes a row and a third of one for lines and offsets beyond 4 GB", () => {
    const index = new RowIndex();
    const rows = 200_000;
    const length = 70_000;
    for (let row = 0; row < rows; row++) index.add(row * length, (row + 1) * length - 1, row + 1, row === 5);
    expect(index.span(rows - 1)).toEqual({ start: (rows - 1) * length, end: rows * length - 1, continues: false });
    expect(index.span(5).continues).toBe(true);
    expect(index.knownLine(rows - 1)).toBe(rows);
    const bytes = index
      .toData()
      .chunks.reduce(
        (sum, { spans, bases, steady }) => sum + spans.byteLength + bases.byteLength + steady.byteLength,
        0,
      );
    expect(bytes / rows).toBeLessThan(8.3);
    expect(RowIndex.fromData(index.toData(), rows * length)?.span(rows - 1).end).toBe(rows * length - 1);
  });

  it("keeps lines that are not those of the indexed bytes", async () => {
    const index = new RowIndex({ keepLines: true });
    for (let row = 0; row < 3_000; row++) index.add(row * 2, row * 2 + 1, 7 * row + 3);
    expect(await index.line(2_999, new Blob(), "rows")).toBe(7 * 2_999 + 3);
  });

  it("counts a line break once that two reads part", async () => {
    const piece = 4 * 1024 * 1024;
    for (const text of ["\r\n\n\r", "\r\r\n\r", "\n\r\n\r"]) {
      const blob = new Blob(["a\r", "x".repeat(piece - 3), text, "b"]);
      const start = piece - 1 + text.length;
      const index = new RowIndex();
      index.add(0, 1, 1);
      index.add(start, start + 1, 5);
      expect(index.knownLine(1)).toBeNull();
      expect(await index.line(1, blob, "rows", "any")).toBe(5);
    }
  });

  it("refuses 64 rows over more than 4 GB, and rows that are not there", () => {
    const index = new RowIndex();
    expect(index.add(0, 10, 1)).toBe(true);
    expect(index.add(2 ** 32, 2 ** 32 + 1, 2)).toBe(false);
    expect(index.rows).toBe(1);
    expect(() => index.span(1)).toThrow("the dataset: there is no row 1; ask for one of 0 to 0.");
  });

  it("refuses a copy that was tampered with", () => {
    const { rows, blob } = fileOf(Array.from({ length: 200 }, () => 5));
    const good = indexOf(rows).toData();
    const [chunk] = good.chunks;
    if (chunk === undefined) throw new RangeError("the index has no chunk");
    const changed = (change: (copy: { spans: Uint32Array; bases: Float64Array; steady: Uint8Array }) => void) => {
      const copy = structuredClone(chunk);
      change(copy);
      return { ...good, chunks: [copy] };
    };
    expect(RowIndex.fromData(good, blob.size)).not.toBeNull();
    const bad: readonly unknown[] = [
      null,
      [],
      "x",
      {},
      { ...good, version: 2 },
      { ...good, rows: 0 },
      { ...good, rows: 1e15 },
      { ...good, rows: 1.5 },
      { ...good, rows: 199 },
      { ...good, chunks: [] },
      { ...good, chunks: [null] },
      { ...good, chunks: [chunk, chunk] },
      { ...good, chunks: [{ ...chunk, spans: new Float32Array(400) }] },
      { ...good, chunks: [{ ...chunk, spans: new Uint32Array(400) }] },
      { ...good, chunks: [{ ...chunk, steady: new Uint8Array(1) }] },
      { ...good, chunks: [{ ...chunk, lines: new Uint32Array(200) }] },
      changed(({ spans }) => spans.set([0], 10)),
      changed(({ spans }) => spans.set([0xffffffff], 399)),
      changed(({ spans }) => spans.set([0xffffffff], 398)),
      changed(({ bases }) => bases.set([Number.NaN], 2)),
      changed(({ bases }) => bases.set([-1], 0)),
      changed(({ bases }) => bases.set([1e18], 4)),
      changed(({ bases }) => bases.set([0.5], 1)),
    ];
    for (const data of bad) expect(RowIndex.fromData(data, blob.size)).toBeNull();
    expect(RowIndex.fromData(good, blob.size - 1)).toBeNull();
  });
});
