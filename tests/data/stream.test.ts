/**
 * A large file in the browser: indexed in one pass with 8 bytes a row, and any row read back. Prints megabytes a second
 * beside a bare read of the same file. With `VITE_STREAM_MB` in the environment the file has another size than a gigabyte,
 * and all memory of the page is measured too, which takes the browser half a minute.
 */
import { afterAll, expect, it } from "vitest";
import { openRows } from "../../src/data/rows/open-rows";
import { gzip, openDefaults } from "../support/rows";

const megabyte = 1024 * 1024;
const asked: unknown = import.meta.env["VITE_STREAM_MB"];
const wanted = asked === undefined ? 1_024 : Number(asked);
/** One block of rows between 60 and 400 bytes, every one with its number in the block. */
const block = makeBlock(4 * megabyte);
const blocks = Math.round((wanted * megabyte) / block.bytes);

interface Heap {
  readonly usedJSHeapSize: number;
}

function makeBlock(target: number): { readonly text: string; readonly rows: number; readonly bytes: number } {
  const lines: string[] = [];
  let bytes = 0;
  while (bytes < target) {
    const row = lines.length;
    const line = `{"prompt": "question ${row}", "completion": "${"answer ".repeat(1 + ((row * 7) % 50))}"}\n`;
    lines.push(line);
    bytes += line.length;
  }
  return { text: lines.join(""), rows: lines.length, bytes };
}

/** Megabytes a second of a task over the whole file. */
async function speed(bytes: number, task: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await task();
  return bytes / megabyte / ((performance.now() - started) / 1_000);
}

async function drain(stream: ReadableStream<Uint8Array>): Promise<number> {
  const reader = stream.getReader();
  let bytes = 0;
  for (;;) {
    const chunk = await reader.read();
    if (chunk.done) return bytes;
    bytes += chunk.value.length;
  }
}

/** Bytes of script values and their buffers, those that the collector has not looked at yet included. */
function heap(): number | null {
  const { memory } = performance as Performance & { readonly memory?: Heap };
  return memory?.usedJSHeapSize ?? null;
}

/** What the page holds after a collection; null where nobody asked, or the browser does not answer. */
async function allMemory(): Promise<number | null> {
  const measured = performance as Performance & {
    measureUserAgentSpecificMemory?(): Promise<{ readonly bytes: number }>;
  };
  if (asked === undefined || measured.measureUserAgentSpecificMemory === undefined || !crossOriginIsolated) return null;
  const answer = measured.measureUserAgentSpecificMemory().then(({ bytes }) => bytes);
  const late = new Promise<null>((resolve) => setTimeout(resolve, 60_000, null));
  return Promise.race([answer, late]).catch(() => null);
}

const lines: string[] = [];
afterAll(() => console.info(lines.join("\n")));

it("indexes a large JSON Lines file without holding it", { timeout: 300_000, retry: 0 }, async () => {
  const part = new Blob([block.text]);
  const blob = new Blob(Array.from({ length: blocks }, () => part));
  const before = { heap: heap(), all: await allMemory() };
  let highest = before.heap ?? 0;
  let headAfter = 0;
  let progress = 0;
  const started = performance.now();
  const source = await openRows([{ name: "large.jsonl", blob }], {
    ...openDefaults,
    onProgress: () => {
      progress++;
      highest = Math.max(highest, heap() ?? 0);
    },
    onHead: (rows) => {
      headAfter = performance.now() - started;
      expect(rows).toHaveLength(20);
    },
  });
  const seconds = (performance.now() - started) / 1_000;
  const rows = block.rows * blocks;
  expect(source.rows).toBe(rows);

  const after = { heap: heap(), all: await allMemory() };
  const bare = await speed(blob.size, () => drain(blob.stream()));
  const indexing = blob.size / megabyte / seconds;
  const growth = (from: number | null, to: number | null) =>
    from === null || to === null ? "not measured" : `${((to - from) / megabyte).toFixed(1)} MB`;
  lines.push(
    `${(blob.size / megabyte).toFixed(0)} MB, ${rows} rows: indexed at ${indexing.toFixed(0)} MB/s, ` +
      `a bare stream read at ${bare.toFixed(0)} MB/s (ratio ${(indexing / bare).toFixed(2)}); first rows after ${headAfter.toFixed(0)} ms`,
    `script heap at most ${growth(before.heap, highest)} more, afterwards ${growth(before.heap, after.heap)}; ` +
      `the page in all ${growth(before.all, after.all)}; allowed ${((8 * rows) / megabyte + 64).toFixed(1)} MB`,
  );
  const allowed = 8 * rows + 64 * megabyte;
  if (before.heap !== null) expect(highest - before.heap).toBeLessThan(allowed);
  if (before.all !== null && after.all !== null) expect(after.all - before.all).toBeLessThan(allowed);
  expect(headAfter).toBeLessThan(seconds * 1_000);
  expect(progress).toBeGreaterThan(1);

  const picks = Array.from({ length: 500 }, (_, pick) => (pick * 7_919_333) % rows);
  const reading = performance.now();
  const read = await source.read([...picks, 0, rows - 1]);
  lines.push(`${read.length} rows from all over the file in ${(performance.now() - reading).toFixed(0)} ms`);
  expect(read.map(({ row }) => row)).toEqual([...picks, 0, rows - 1]);
  for (const row of read) {
    const inBlock = row.row % block.rows;
    expect(row).toMatchObject({ origin: { line: row.row + 1 }, value: { prompt: `question ${inBlock}` } });
  }
});

it("unpacks a compressed file, showing its first rows before the rest", async () => {
  const rows = block.rows * 8;
  const blob = await gzip(new Blob(Array.from({ length: 8 }, () => block.text)));
  const order: string[] = [];
  const source = await openRows([{ name: "rows.jsonl.gz", blob }], {
    ...openDefaults,
    onHead: (head) => order.push(`head of ${head.length}`),
    onProgress: (done, total) => order.push(done === total ? "end" : "more"),
  });
  expect(source.rows).toBe(rows);
  expect(order[0]).toBe("head of 20");
  expect(order.at(-1)).toBe("end");
  expect((await source.read([rows - 1]))[0]).toMatchObject({ value: { prompt: `question ${block.rows - 1}` } });
  const cut = openRows([{ name: "rows.jsonl.gz", blob: blob.slice(0, 10_000) }], openDefaults);
  await expect(cut).rejects.toThrow("rows.jsonl.gz: the file cannot be decompressed (it is damaged, cut off or");
});
