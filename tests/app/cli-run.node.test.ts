/** The headless commands as a user calls them: the built studio, a real browser, real training on the embedded model. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensureBuilt } from "../../scripts/lib/build-dist.mjs";
import { softwareArgs } from "../../scripts/lib/chromium-args.mjs";
import { serveStatic } from "../../scripts/lib/static-server.mjs";
import { setup } from "../../scripts/setup.mjs";
import { defaultLearningRate } from "../../src/training/recipe";

const root = join(import.meta.dirname, "..", "..");
const embedded = join(root, "public", "models", "tabtune-tiny");
const slow = { timeout: 300_000 };

let folder = "";
const at = (...names: string[]): string => join(folder, ...names);

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(script: string, ...args: string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [join(root, "scripts", script), ...args], {
    cwd: folder,
    env: { ...process.env, TABTUNE_GPU: "off" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return { child, ended: new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr }))) };
}

const command = (script: string, ...args: string[]): Promise<Ended> => start(script, ...args).ended;

/** The object on the last line of a command that succeeded. */
function summary({ code, stdout, stderr }: Ended) {
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

const lines = (file: string) =>
  readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tabtune-cli-"));
  const row = (question: string, answer: string) =>
    JSON.stringify({
      messages: [
        { role: "user", content: question },
        { role: "assistant", content: answer },
      ],
    });
  writeFileSync(
    at("data.jsonl"),
    `${row("Who are you?", "A small red boat.")}\n${row("Where do you go?", "Over the blue sea.")}\n`,
  );
  await setup({ browser: true });
  await ensureBuilt();
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true }));

describe("finetune", () => {
  const options = ["--data", "data.jsonl", "--eval", "data.jsonl", "--rank", "4", "--max-length", "64", "--json"];

  it(
    "writes a PEFT adapter, a log and a summary that agree, and the other commands take the adapter",
    slow,
    async () => {
      const run = summary(
        await command(
          "finetune.mjs",
          ...options,
          "--steps",
          "8",
          "--lr",
          "0.02",
          "--out",
          "run",
          "--probe",
          "probe/p.json",
        ),
      );
      const log = lines(at("run", "log.jsonl"));
      expect(log.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      for (const entry of log) expect(Object.keys(entry)).toEqual(["step", "loss", "lr", "grad_norm", "tokens", "ms"]);
      expect(run).toMatchObject({
        model: "tabtune-tiny",
        data: at("data.jsonl"),
        state: "finished",
        steps: 8,
        out: at("run"),
      });
      expect([run.first_loss, run.final_loss]).toEqual([log[0].loss, log[7].loss]);
      expect(run.tokens).toBe(log.reduce((sum, { tokens }) => sum + tokens, 0));
      expect(run.eval_after).toBeLessThan(run.eval_before);
      expect(run.recipe).toMatchObject({ rank: 4, alpha: 16, steps: 8, maxLength: 64, learningRate: 0.02 });

      const config = JSON.parse(readFileSync(at("run", "adapter_config.json"), "utf8"));
      expect(config).toMatchObject({ peft_type: "LORA", r: 4, lora_alpha: 16 });
      const weights = readFileSync(at("run", "adapter_model.safetensors"));
      const header = JSON.parse(weights.subarray(8, 8 + Number(weights.readBigUInt64LE())).toString("utf8"));
      expect(Object.keys(header).filter((name) => name.includes("lora_")).length).toBeGreaterThan(0);
      expect(readFileSync(at("run", "README.md"), "utf8")).toContain("base_model: ");

      const probe = JSON.parse(readFileSync(at("probe", "p.json"), "utf8"));
      expect(probe.shape[0]).toBe(probe.input_ids.length);
      expect(readFileSync(at("probe", probe.logits_file)).length).toBe(4 * probe.shape[0] * probe.shape[1]);

      const measured = summary(await command("evaluate.mjs", "--data", "data.jsonl", "--adapter", "run", "--json"));
      expect(measured.loss).toBeCloseTo(run.eval_after, 5);
      expect(measured.perplexity).toBeCloseTo(Math.exp(measured.loss), 6);
      expect(measured.counted_tokens).toBeGreaterThan(0);

      const [tuned, again, plain] = [
        await command("generate.mjs", "--prompt", "Who are you?", "--adapter", "run", "--max-new-tokens", "8"),
        await command("generate.mjs", "--prompt", "Who are you?", "--adapter", "run", "--max-new-tokens", "8"),
        await command("generate.mjs", "--prompt", "Who are you?", "--max-new-tokens", "8"),
      ];
      expect([tuned.code, plain.code]).toEqual([0, 0]);
      expect(tuned.stdout.trim()).not.toBe("");
      expect(again.stdout).toBe(tuned.stdout);
      expect(plain.stdout).not.toBe(tuned.stdout);
    },
  );

  it("gives the same bytes for the same seed, from a model folder too, and refuses to overwrite", slow, async () => {
    const run = summary(await command("finetune.mjs", ...options, "--steps", "2", "--out", "first"));
    const hidden = JSON.parse(readFileSync(join(embedded, "config.json"), "utf8")).hidden_size;
    expect(run.recipe.learningRate).toBe(defaultLearningRate(hidden));
    summary(await command("finetune.mjs", ...options, "--steps", "2", "--out", "second", "--model", embedded));
    expect(
      readFileSync(at("first", "adapter_model.safetensors")).equals(
        readFileSync(at("second", "adapter_model.safetensors")),
      ),
    ).toBe(true);
    const refused = await command("finetune.mjs", ...options, "--out", "first");
    expect(refused).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/^--out first: .* is there already/),
    });
  });

  it("stops at Ctrl-C and keeps what it learned", slow, async () => {
    const { child, ended } = start(
      "finetune.mjs",
      "--data",
      "data.jsonl",
      "--steps",
      "100000",
      "--max-length",
      "64",
      "--json",
      "--out",
      "stopped",
    );
    const log = at("stopped", "log.jsonl");
    while (child.exitCode === null && !(existsSync(log) && readFileSync(log, "utf8").includes("\n"))) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    child.kill("SIGINT");
    const run = summary(await ended);
    expect(run.state).toBe("stopped");
    expect(run.steps).toBe(lines(log).length);
    expect(existsSync(at("stopped", "adapter_model.safetensors"))).toBe(true);
  });

  it("fits the max length to the held-out rows too, and says what a given one cuts off them", slow, async () => {
    const text = Array.from({ length: 60 }, (_, index) => `The sea is wide ${index}.`).join(" ");
    writeFileSync(at("held.jsonl"), `${JSON.stringify({ text })}\n`);
    const both = ["--data", "data.jsonl", "--eval", "held.jsonl", "--steps", "1", "--json"];
    const fitted = await command("finetune.mjs", ...both, "--out", "fitted");
    expect(fitted.stderr).not.toContain("Held-out data:");
    expect(summary({ ...fitted, stderr: "" }).recipe.maxLength).toBeGreaterThan(128);
    const cut = await command("finetune.mjs", ...both, "--max-length", "64", "--out", "cut");
    expect(cut.stderr).toContain("Held-out data: 1 row cut to 64 tokens; 1 row measured.\n");
  });

  it.each([
    ["nothing", "", /^nothing\.jsonl: the file is empty/],
    ["unknown", '{"a":1}\n', /^unknown\.jsonl line 1: the row has the columns "a", which is no known shape/],
    ["archive", "PK\u0003\u0004\u0000\u0000", /^archive\.jsonl: the file is a ZIP archive/],
  ])("%s as data: exit code 2, one sentence, no folder", slow, async (name, text, message) => {
    writeFileSync(at(`${name}.jsonl`), text);
    const { code, stdout, stderr } = await command(
      "finetune.mjs",
      "--data",
      `${name}.jsonl`,
      "--out",
      `out-${name}`,
      "--json",
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.trim().split("\n").at(-1)).toMatch(message);
    expect(existsSync(at(`out-${name}`))).toBe(false);
  });

  it(
    "lists bad rows by kind with their lines and refuses, or trains on the others of several files",
    slow,
    async () => {
      writeFileSync(
        at("mixed.jsonl"),
        '{"text": "A red boat."}\n{no\n{"text": 5}\n{"text": "A blue sea."}\n{"what": 1}\n',
      );
      const both = ["--data", "mixed.jsonl", "--data", "data.jsonl", "--max-length", "64", "--steps", "1", "--json"];
      const refused = await command("finetune.mjs", ...both, "--out", "refused");
      expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 2, stdout: "" });
      expect(refused.stderr).toContain('1 row with the problem "syntax":\n  mixed.jsonl line 2: not valid JSON');
      expect(refused.stderr).toContain('1 row with the problem "field":\n  mixed.jsonl line 3, text: ');
      expect(refused.stderr).toContain('1 row with the problem "shape":\n  mixed.jsonl line 5: ');
      expect(refused.stderr.trim().split("\n").at(-1)).toMatch(
        /^mixed\.jsonl line 2: .* \(3 of 7 rows have problems\); .*, or skip the rows with problems\.$/,
      );
      const kept = await command("finetune.mjs", ...both, "--out", "kept", "--skip-problems", "--eval-share", "0.3");
      expect(kept.stderr).toContain("3 rows had problems and were left out.\n");
      expect(summary({ ...kept, stderr: "" })).toMatchObject({
        state: "finished",
        steps: 1,
        data: [at("mixed.jsonl"), at("data.jsonl")],
        eval_before: expect.any(Number),
      });
      const measured = await command("evaluate.mjs", "--data", "mixed.jsonl", "--skip-problems", "--json");
      expect(measured.stderr).toContain("3 rows had problems and were left out.\n");
      expect(summary({ ...measured, stderr: "" })).toMatchObject({ rows: 2 });
      const template = await command("evaluate.mjs", "--data", "data.jsonl", "--template", "nothing");
      expect(template).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/there is no template named "nothing"; choose/),
      });
    },
  );

  it("a folder that is no model and a module that the model lacks: exit code 2", slow, async () => {
    writeFileSync(at("config.json"), "{}");
    const noModel = await command("evaluate.mjs", "--model", ".", "--data", "data.jsonl");
    expect(noModel.code).toBe(2);
    expect(noModel.stderr.trim().split("\n").at(-1)).toMatch(/tokenizer\.json|config\.json/);
    const noModule = await command("finetune.mjs", ...options, "--targets", "lm_head", "--out", "no-module");
    expect(noModule.code).toBe(2);
    expect(noModule.stderr).toContain('The target module "lm_head" is not in this model');
  });
});

describe("evaluate", () => {
  it("cuts rows at --max-length, says how many, and refuses more than the model takes", slow, async () => {
    const text = "The sea is wide and the boat is red. ";
    writeFileSync(at("long.jsonl"), `${JSON.stringify({ text: text.repeat(5) })}\n${JSON.stringify({ text })}\n`);
    const evaluate = (...args: string[]) => command("evaluate.mjs", "--data", "long.jsonl", "--json", ...args);
    const cut = await evaluate("--max-length", "16");
    expect(summary(cut)).toMatchObject({ rows: 2, truncated_rows: 1 });
    expect(cut.stderr).toContain("1 rows were longer than 16 tokens and lost their end.\n");
    const whole = await evaluate();
    expect(summary(whole)).toMatchObject({ rows: 2, truncated_rows: 0 });
    expect(whole.stderr).not.toContain("lost their end");
    expect(summary(whole).counted_tokens).toBeGreaterThan(summary(cut).counted_tokens);
    const limit = JSON.parse(readFileSync(join(embedded, "config.json"), "utf8")).max_position_embeddings;
    expect(await evaluate("--max-length", String(limit + 1))).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining(`--max-length is ${limit + 1}; it must be a whole number from 2 to ${limit}.\n`),
    });
  });
});

describe("dist/", () => {
  it("works from any path of a server", slow, async () => {
    const server = await serveStatic(root);
    const executablePath = process.env["CHROMIUM_PATH"];
    const browser = await chromium.launch({ args: softwareArgs, ...(executablePath ? { executablePath } : {}) });
    try {
      const page = await browser.newPage();
      await page.goto(`${server.url}dist/headless.html`);
      await page.waitForFunction("globalThis.tabtune !== undefined");
      const outcome = await page.evaluate(() => globalThis.tabtune?.openModel({ embedded: "tabtune-tiny" }));
      expect(outcome).toMatchObject({ ok: { modelType: "llama" } });
    } finally {
      await browser.close();
      await server.close();
    }
  });
});
