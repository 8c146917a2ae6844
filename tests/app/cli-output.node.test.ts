/** What the commands write: the run's folder, the progress, the build's stamp, the count at the end of npm test. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { strToU8, zipSync } from "fflate";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf } from "../../scripts/lib/build-dist.mjs";
import { defaultRunFaults } from "../../scripts/lib/default-run.mjs";
import { CommandError } from "../../scripts/lib/errors.mjs";
import { formatBar, formatDuration, progressLine, trainingProgress } from "../../scripts/lib/progress.mjs";
import { discardRunFolder, makeRunFolder, openLog, unpackAdapter } from "../../scripts/lib/run-folder.mjs";
import { playwrightCounts, vitestCounts } from "../../scripts/lib/test-parts.mjs";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tabtune-output-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const step = {
  kind: "step",
  step: 1,
  steps: 2,
  epoch: 0.5,
  loss: 2.5,
  learningRate: 1e-3,
  gradientNorm: 0.7,
  tokens: 90,
  countedTokens: 40,
  milliseconds: 12.5,
} as const;

describe("the run's folder", () => {
  it("is a fresh one where none is asked for", () => {
    expect(makeRunFolder(undefined, "tiny-data", folder)).toBe(join(folder, "tiny-data"));
    expect(makeRunFolder(undefined, "tiny-data", folder)).toBe(join(folder, "tiny-data-2"));
    expect(makeRunFolder(undefined, "../a b/ü", folder)).toBe(join(folder, "a-b-"));
  });

  it("that holds an adapter is refused and left alone", () => {
    writeFileSync(join(folder, "adapter_config.json"), "mine");
    expect(() => makeRunFolder(folder, "x")).toThrow(
      new CommandError(
        `--out ${folder}: adapter_config.json is there already; give another folder or move it away.`,
        2,
      ),
    );
    expect(readFileSync(join(folder, "adapter_config.json"), "utf8")).toBe("mine");
  });

  it("may be new, or hold other things, but not be a file", () => {
    expect(makeRunFolder(join(folder, "a", "b"), "x")).toBe(join(folder, "a", "b"));
    writeFileSync(join(folder, "notes.txt"), "");
    expect(makeRunFolder(folder, "x")).toBe(folder);
    expect(() => makeRunFolder(join(folder, "notes.txt"), "x")).toThrow("notes.txt: this is not a folder.");
    expect(() => makeRunFolder(join(folder, "notes.txt", "b"), "x")).toThrow("b: this is not a folder.");
  });

  it("gets a log line per step, and goes when nothing was learned", () => {
    const empty = makeRunFolder(join(folder, "empty"), "x");
    openLog(empty);
    discardRunFolder(empty);
    expect(existsSync(empty)).toBe(false);
    const log = openLog(folder);
    log.step(step);
    log.step({ ...step, step: 2, loss: 2 });
    discardRunFolder(folder);
    const lines = readFileSync(join(folder, "log.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines[0]).toEqual({ step: 1, loss: 2.5, lr: 1e-3, grad_norm: 0.7, tokens: 90, ms: 12.5 });
    expect(lines).toHaveLength(2);
  });

  it("receives the exported files and none outside itself", async () => {
    const zip = join(folder, "a.zip");
    const inside = join(folder, "inside");
    mkdirSync(inside);
    const content = {
      "adapter_model.safetensors": strToU8("w"),
      "adapter_config.json": strToU8("{}"),
      "../README.md": strToU8("#"),
    };
    writeFileSync(zip, zipSync(content));
    await unpackAdapter(zip, inside);
    expect(readdirSync(inside).sort()).toEqual(["README.md", "adapter_config.json", "adapter_model.safetensors"]);
    expect(existsSync(join(folder, "README.md"))).toBe(false);
    rmSync(inside, { recursive: true });
    mkdirSync(inside);
    writeFileSync(zip, zipSync({ "adapter_config.json": strToU8("{}") }));
    await expect(unpackAdapter(zip, inside)).rejects.toThrow("lacks adapter_model.safetensors");
  });
});

describe("progress", () => {
  const record = (isTTY: boolean) => {
    const written: string[] = [];
    return { written, stream: { isTTY, columns: 60, write: (text: string) => written.push(text) } };
  };

  it("is redrawn on a terminal and cut to its width", () => {
    const { written, stream } = record(true);
    const line = progressLine(stream, () => 0);
    line.show("a");
    line.show("b".repeat(100));
    line.say("done");
    expect(written).toEqual(["\ra\x1b[K", `\r${"b".repeat(59)}\x1b[K`, "\n", "done\n"]);
  });

  it("is one line a second elsewhere, the last step always", () => {
    const { written, stream } = record(false);
    let now = 0;
    const progress = trainingProgress(
      progressLine(stream, () => now),
      () => now,
    );
    progress.start();
    for (let at = 1; at <= 10; at++) {
      now += 300;
      progress.step({ ...step, step: at, steps: 10 });
    }
    expect(written.map((text) => /step (\d+)/.exec(text)?.[1])).toEqual(["1", "5", "9", "10"]);
    // 90 tokens in 0.3 s; one step of 0.3 s to go.
    expect(written[2]).toBe("step 9/10  loss 2.5000  300 tokens/s  ETA 0:00\n");
    expect(written[0]).toContain("ETA 0:03");
  });

  it("has bars and durations", () => {
    expect(formatBar(0, 10)).toBe(`[${" ".repeat(24)}]`);
    expect(formatBar(5, 10)).toBe(`[${"=".repeat(12)}${" ".repeat(12)}]`);
    expect(formatBar(3, 0)).toBe(`[${" ".repeat(24)}]`);
    expect([0, 59.6, 61, 3661].map(formatDuration)).toEqual(["0:00", "1:00", "1:01", "1:01:01"]);
  });
});

describe("the build's stamp", () => {
  it("changes with content and names, not with dates", () => {
    mkdirSync(join(folder, "src", "sub"), { recursive: true });
    const file = join(folder, "src", "sub", "a.ts");
    writeFileSync(file, "1");
    const names = ["src", "none.html"];
    const before = digestOf(folder, names);
    writeFileSync(file, "1");
    expect(digestOf(folder, names)).toBe(before);
    writeFileSync(file, "2");
    const changed = digestOf(folder, names);
    expect(changed).not.toBe(before);
    writeFileSync(join(folder, "src", "b.ts"), "");
    expect(digestOf(folder, names)).not.toBe(changed);
  });
});

describe("the count of npm test", () => {
  it("reads both reports; a test that passed on a second try has failed", () => {
    expect(vitestCounts({ numPassedTests: 5, numFailedTests: 1, numPendingTests: 2, numTodoTests: 1 })).toEqual({
      passed: 5,
      failed: 1,
      skipped: 3,
    });
    expect(playwrightCounts({ stats: { expected: 4, unexpected: 1, flaky: 1, skipped: 2 } })).toEqual({
      passed: 4,
      failed: 2,
      skipped: 2,
    });
  });
});

describe("the check of the default run", () => {
  const json = (before: number, after: number) =>
    JSON.stringify({ state: "finished", eval_before: before, eval_after: after });

  it("passes a run that finished and learned, and nothing else", () => {
    expect(defaultRunFaults({ code: 0, json: json(3, 2) })).toEqual([]);
    expect(defaultRunFaults({ code: 1, json: "" })).toEqual([expect.stringContaining("exit code 1")]);
    expect(defaultRunFaults({ code: 0, json: json(2, 2) })).toEqual([expect.stringContaining("has to fall")]);
    expect(defaultRunFaults({ code: 0, json: '{"state":"finished","eval_before":3,"eval_after":null}' })).toHaveLength(
      1,
    );
  });
});
