/** What a first visit takes over the wire before the sample can be trained: scripts and style sheets, the worker's included. */
import { gzipSync } from "node:zlib";
import { expect, type Response, test } from "@playwright/test";

/**
 * Bytes after gzip at level 9, as a careful host sends them; 1 kB is 1000 bytes. The worker has a limit of its own: its
 * requests run beside those of the page, which can be used before the model is open.
 */
const limits = { page: 250_000, worker: 160_000 };

// What the service worker fetches ahead is for the next visit, after this one can be used.
test.use({ serviceWorkers: "block" });

interface Loaded {
  readonly name: string;
  readonly bytes: number;
  readonly part: keyof typeof limits;
}

const nameOf = (url: string): string => new URL(url).pathname.replace(/^.*\//, "");

/** The scripts and all that they name, and these in turn: no page's script is named by a worker's. */
function namedBy(scripts: readonly string[], bodies: ReadonlyMap<string, Buffer>): ReadonlySet<string> {
  const found = new Set(scripts);
  for (const script of found) {
    const text = bodies.get(script)?.toString("utf8") ?? "";
    for (const url of bodies.keys()) if (text.includes(nameOf(url))) found.add(url);
  }
  return found;
}

test("first load: the page and the worker stay within their limits", async ({ page }) => {
  const responses: Response[] = [];
  page.context().on("response", (response) => {
    if (/\.(?:m?js|css)$/.test(new URL(response.url()).pathname)) responses.push(response);
  });
  const workers: string[] = [];
  page.on("worker", (worker) => workers.push(worker.url()));
  await page.goto("/");
  await expect(page.getByRole("button", { name: "Train the sample" })).toBeEnabled({ timeout: 120_000 });

  const bodies = new Map<string, Buffer>();
  for (const response of responses) {
    expect(response.status(), response.url()).toBe(200);
    bodies.set(response.url(), await response.body());
  }
  const ofWorker = namedBy(workers, bodies);
  const loaded = [...bodies].map(([url, body]): Loaded => {
    const part = ofWorker.has(url) ? "worker" : "page";
    return { name: nameOf(url), bytes: gzipSync(body, { level: 9 }).byteLength, part };
  });
  const sum = (part: Loaded["part"]): number =>
    loaded.filter((one) => one.part === part).reduce((total, { bytes }) => total + bytes, 0);
  const line = (bytes: number, text: string): string => `${(bytes / 1000).toFixed(1).padStart(7)} kB  ${text}`;
  console.log(
    [
      "First load, gzip level 9:",
      ...loaded.sort((a, b) => b.bytes - a.bytes).map(({ name, bytes, part }) => line(bytes, `${name} (${part})`)),
      line(sum("page"), `page, at most ${limits.page / 1000} kB`),
      line(sum("worker"), `worker, at most ${limits.worker / 1000} kB`),
      line(sum("page") + sum("worker"), "in all"),
    ].join("\n"),
  );

  expect(loaded.filter(({ name }) => /^(?:ort|onnx|self-check)/.test(name))).toEqual([]);
  expect(loaded.some(({ name }) => name.endsWith(".css"))).toBe(true);
  expect(sum("worker")).toBeGreaterThan(0);
  expect(sum("worker")).toBeLessThanOrEqual(limits.worker);
  expect(sum("page")).toBeLessThanOrEqual(limits.page);
});
