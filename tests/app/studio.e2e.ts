/** The whole way by hand on the built studio: drop a file, train, reload, download, read the adapter. Nothing leaves the origin. */
import { readFile } from "node:fs/promises";
import { type Download, expect, type Page, test } from "@playwright/test";
import { unzipSync } from "fflate";

const rows = Array.from({ length: 12 }, (_, index) =>
  JSON.stringify({
    prompt: `Question ${index}: what is the colour of the sky?`,
    completion: `Answer ${index}: blue as the sea, matey.`,
  }),
);
const dataset = { name: "mine.jsonl", mimeType: "application/jsonl", buffer: Buffer.from(`${rows.join("\n")}\n`) };

const dropZone = (page: Page) => page.locator('input[type="file"][aria-label^="Drop files"]');
/** To another step by the step bar. */
const go = (page: Page, step: string) =>
  page
    .getByRole("navigation", { name: "Steps" })
    .getByRole("link", { name: new RegExp(`^${step}`) })
    .click();
const alert = (page: Page) => page.getByRole("alert");

/** What the page said when it met an error of its own; read after each test. */
let faults: string[] = [];
test.beforeEach(({ page }) => {
  faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
});
test.afterEach(() => expect(faults).toEqual([]));

/** Opens the page and waits until the sample could be trained. Returns every address asked for from then on. */
async function open(page: Page): Promise<string[]> {
  const asked: string[] = [];
  page.context().on("request", (request) => asked.push(request.url()));
  await page.goto("/");
  await expect(page.getByRole("button", { name: "Train the sample" })).toBeEnabled({ timeout: 120_000 });
  return asked;
}

function expectNothingForeign(asked: readonly string[], baseURL: string | undefined): void {
  const { origin } = new URL(baseURL ?? "");
  expect(asked.filter((url) => /^(https?|wss?):/.test(url) && new URL(url).origin !== origin)).toEqual([]);
  // The worker's own requests are among them, so the list above is a list of all.
  expect(asked.some((url) => url.endsWith("/onnx/model_q4.onnx"))).toBe(true);
}

async function trainSteps(page: Page, steps: number): Promise<void> {
  await go(page, "Train");
  await page.getByLabel("Unit of the length").selectOption("steps");
  await page.getByLabel("Train for").fill(String(steps));
  await page.getByRole("button", { name: "Start training" }).click();
  await expect(page.getByText("Kept in this browser as")).toBeVisible({ timeout: 150_000 });
}

async function unzip(download: Download): Promise<Record<string, Uint8Array>> {
  return unzipSync(new Uint8Array(await readFile(await download.path())));
}

interface Header {
  readonly [name: string]: {
    readonly dtype?: string;
    readonly shape?: readonly number[];
    readonly data_offsets?: readonly [number, number];
  };
}

function safetensorsHeader(file: Uint8Array): { readonly header: Header; readonly dataBytes: number } {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  return {
    header: JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length))),
    dataBytes: file.length - 8 - length,
  };
}

test("drop a file, train, reload, download an adapter that reads", async ({ page, baseURL }) => {
  const asked = await open(page);
  await dropZone(page).setInputFiles(dataset);
  await expect(page.getByRole("button", { name: "Start training" })).toBeEnabled();
  await page.getByRole("tab", { name: "Tokens" }).click();
  await expect(page.locator(".tokens .token.masked").first()).toBeVisible();
  await expect(page.locator(".tokens .token.counted").first()).toBeVisible();
  await trainSteps(page, 3);
  await expect(page.locator("#train").getByText("Step 3 of 3")).toBeVisible();
  const kept = await page.getByText("Kept in this browser as").textContent();
  const name = /as ([a-z]+-[a-z]+-\d+)\./.exec(kept ?? "")?.[1] ?? "";
  expect(name).not.toBe("");

  await page.reload();
  await expect(page.getByRole("button", { name: "Train the sample" })).toBeEnabled({ timeout: 120_000 });
  await go(page, "Library");
  await expect(page.locator("#library").getByRole("heading", { name })).toBeVisible();
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: `Download ${name}` }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe(`${name}.zip`);

  const files = await unzip(download);
  const byName = (wanted: string): Uint8Array => {
    const path = Object.keys(files).find((file) => file === wanted || file.endsWith(`/${wanted}`));
    expect(path, `${wanted} among ${Object.keys(files).join(", ")}`).toBeDefined();
    return files[path ?? ""] ?? new Uint8Array();
  };
  const config = JSON.parse(new TextDecoder().decode(byName("adapter_config.json")));
  expect(config).toMatchObject({ peft_type: "LORA", r: 8, lora_alpha: 16, task_type: "CAUSAL_LM" });
  expect(new TextDecoder().decode(byName("README.md")).length).toBeGreaterThan(200);

  const { header, dataBytes } = safetensorsHeader(byName("adapter_model.safetensors"));
  const tensors = Object.entries(header).filter(([key]) => key !== "__metadata__");
  expect(tensors.length).toBeGreaterThan(0);
  let bytes = 0;
  for (const [key, { dtype, shape = [], data_offsets: [from, to] = [0, 0] }] of tensors) {
    expect(key).toMatch(/^base_model\.model\.model\.layers\.\d+\.(self_attn|mlp)\.\w+\.lora_[AB]\.weight$/);
    expect(dtype).toBe("F32");
    expect(to - from).toBe(4 * shape.reduce((product, size) => product * size, 1));
    expect(shape[key.includes("lora_A") ? 0 : 1]).toBe(8);
    bytes += to - from;
  }
  expect(bytes).toBe(dataBytes);

  expectNothingForeign(asked, baseURL);
});

test("stop keeps what was learned, and base and tuned answer side by side", async ({ page }) => {
  await open(page);
  await dropZone(page).setInputFiles(dataset);
  await expect(page.getByRole("button", { name: "Start training" })).toBeEnabled();
  await go(page, "Train");
  await page.getByLabel("Unit of the length").selectOption("steps");
  await page.getByLabel("Train for").fill("5000");
  await page.getByRole("button", { name: "Start training" }).click();
  await expect(
    page
      .locator("#train")
      .getByText(/^Step [1-9]\d* of 5,000$/)
      .first(),
  ).toBeVisible({ timeout: 120_000 });
  await page.getByRole("button", { name: "Stop and keep" }).click();
  await expect(page.getByText("Kept in this browser as")).toBeVisible({ timeout: 60_000 });
  await go(page, "Library");
  await expect(page.locator("#library").getByText("stopped early")).toBeVisible();

  await go(page, "Try");
  await page.getByLabel("Longest answer").selectOption("16");
  await page.getByRole("button", { name: "Generate both" }).click();
  await expect(page.locator("#try").getByText(/tokens, [\d.]+\/s/)).toHaveCount(2, { timeout: 120_000 });
  await expect(page.locator("[aria-busy=true]")).toHaveCount(0);
});

test("the self-check says that our kernels and ONNX Runtime agree", async ({ page, baseURL }) => {
  const asked = await open(page);
  await go(page, "Model");
  await page.getByRole("button", { name: "Check the numbers" }).click();
  await expect(page.getByText(/agree on all \d+ tokens/)).toBeVisible({ timeout: 150_000 });
  await expect(page.getByText(/Relative difference of the logits \d/)).toBeVisible();
  expectNothingForeign(asked, baseURL);
});

test.describe("bad input is told in one sentence and the page goes on", () => {
  const cases = [
    [
      "a binary file",
      "photo.jsonl",
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3, 0xff, 0xfe]),
      /photo\.jsonl/,
      "Choose a dataset",
    ],
    ["an empty file", "empty.jsonl", Buffer.alloc(0), /empty\.jsonl/, "Choose a dataset"],
    [
      "a row that is no JSON",
      "torn.jsonl",
      Buffer.from(`${rows[0]}\n{"prompt": "a\n`),
      /torn\.jsonl.*line 2|line 2.*torn\.jsonl/,
      "Fix the data first",
    ],
    [
      "a row of unknown shape",
      "odd.jsonl",
      Buffer.from(`${rows[0]}\n{"colour":"blue"}\n`),
      /odd\.jsonl.*line 2|line 2.*odd\.jsonl/,
      "Fix the data first",
    ],
  ] as const;
  for (const [what, name, buffer, sentence, main] of cases) {
    test(what, async ({ page }) => {
      await open(page);
      await dropZone(page).setInputFiles({ name, mimeType: "application/octet-stream", buffer });
      await expect(alert(page)).toContainText(sentence);
      await expect(page.getByRole("button", { name: main })).toBeDisabled();
      await expect(page.locator("[aria-busy=true]")).toHaveCount(0);
      await dropZone(page).setInputFiles(dataset);
      await expect(page.getByRole("button", { name: "Start training" })).toBeEnabled();
      await expect(alert(page)).toHaveCount(0);
    });
  }

  test("rows with a problem can be shown and skipped, and the others train", async ({ page }) => {
    await open(page);
    const torn = { ...dataset, name: "torn.jsonl", buffer: Buffer.from(`${rows.join("\n")}\n{"prompt": "a\n`) };
    await dropZone(page).setInputFiles(torn);
    await expect(page.getByRole("button", { name: "Fix the data first" })).toBeDisabled();
    await page.getByRole("button", { name: /^Show the rows: / }).click();
    await expect(page.locator("#data").getByText("1–1 of 1")).toBeVisible();
    await page.getByRole("button", { name: /^Skip this row/ }).click();
    await expect(page.locator("#data").getByText("1 row, skipped")).toBeVisible();
    await expect(page.getByRole("button", { name: "Start training" })).toBeEnabled();
    await trainSteps(page, 2);
  });

  test("a learning rate of abc and a rank of 0", async ({ page }) => {
    await open(page);
    await go(page, "Train");
    await page.getByLabel("Learning rate").fill("abc");
    await expect(
      page.getByText('Learning rate is "abc"; it must be a number above 0, up to 10, such as 2e-4.'),
    ).toBeVisible();
    await page.getByLabel("Rank", { exact: true }).fill("0");
    await expect(page.getByText("Rank is 0; it must be a whole number from 1 to 1024.")).toBeVisible();
    await page.getByLabel("Rank", { exact: true }).fill("4");
    await page.getByLabel("Learning rate").fill("2e-4");
    await expect(page.getByRole("button", { name: "Train the sample" })).toBeEnabled();
  });

  test("a folder that holds no model", async ({ page }, info) => {
    await open(page);
    const folder = info.outputPath("no-model");
    const { mkdir, writeFile } = await import("node:fs/promises");
    await mkdir(folder, { recursive: true });
    await writeFile(`${folder}/notes.txt`, "no model here");
    await go(page, "Model");
    await page.getByText("Your own file", { exact: true }).click();
    await page.locator('#model input[type="file"][aria-label="Choose its folder"]').setInputFiles(folder);
    await expect(alert(page)).toContainText(/config\.json/);
    await page.getByRole("button", { name: "Choose another model" }).click();
    await expect(page.getByRole("button", { name: "Train the sample" })).toBeEnabled({ timeout: 120_000 });
  });
});
