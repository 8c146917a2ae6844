/** The commands' arguments: every option reaches its recipe field, and every slip gets one sentence and exit code 2. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dataName, dataNotes, dataOptions, filesInput, heldOutNote } from "../../scripts/lib/data.mjs";
import { CommandError } from "../../scripts/lib/errors.mjs";
import { modelInput } from "../../scripts/lib/inputs.mjs";
import {
  adapterPaths,
  evaluateOptions,
  filesOf,
  finetuneOptions,
  generateOptions,
  numberIn,
  parseOptions,
  recipeFields,
  usage,
} from "../../scripts/lib/options.mjs";
import { completeRecipe } from "../../scripts/lib/recipe.mjs";
import { problemKinds } from "../../src/data/errors";
import { dataDefaults } from "../../src/data/options";
import { parseRecipe, recipeDefaults } from "../../src/training/recipe";

const root = join(import.meta.dirname, "..", "..");
const fields = (...args: string[]) => recipeFields(parseOptions(args, finetuneOptions) ?? {});

/** What a body throws, which must be a `CommandError` of exit code 2. */
function slip(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    if (error instanceof CommandError && error.exitCode === 2) return error.message;
    throw error;
  }
  return "nothing was thrown";
}

describe("finetune's options", () => {
  it("set their recipe fields", () => {
    const given = fields(
      ...[
        "--rank",
        "4",
        "--alpha",
        "8.5",
        "--targets",
        "q_proj, v_proj",
        "--rslora",
        "--dropout",
        ".1",
        "--lr",
        "2e-4",
      ],
      ...["--schedule", "linear", "--warmup-steps", "3", "--steps", "7", "--batch-size", "2", "--grad-accum", "5"],
      ...["--max-length", "64", "--weight-decay", "0.01", "--clip", "0", "--seed", "9", "--no-shuffle", "--no-pack"],
      "--gradient-checkpointing",
    );
    expect(given).toEqual({
      rank: 4,
      alpha: 8.5,
      targetModules: ["q_proj", "v_proj"],
      rslora: true,
      dropout: 0.1,
      learningRate: 2e-4,
      schedule: "linear",
      warmupSteps: 3,
      steps: 7,
      batchSize: 2,
      gradientAccumulation: 5,
      maxLength: 64,
      weightDecay: 0.01,
      clip: 0,
      seed: 9,
      shuffle: false,
      pack: false,
      gradientCheckpointing: true,
    });
    expect(fields("--epochs", "0.5", "--targets", "all-linear")).toEqual({ epochs: 0.5, targetModules: "all-linear" });
    expect(fields()).toEqual({});
  });

  it("cover every field of the recipe", () => {
    const set = Object.values(finetuneOptions).flatMap(({ field }) => field ?? []);
    expect(set.sort()).toEqual([...Object.keys(recipeDefaults), "learningRate"].sort());
  });

  it("show the recipe's own defaults in the usage", () => {
    for (const { field, initial } of Object.values(finetuneOptions)) {
      if (initial !== undefined && field !== undefined)
        expect(initial, field).toBe(String(Object.entries(recipeDefaults).find(([key]) => key === field)?.[1]));
    }
    expect(finetuneOptions["loss-on"]?.initial).toBe(dataDefaults.lossOn);
    expect(finetuneOptions["too-long"]?.initial).toBe(dataDefaults.tooLong);
    expect(finetuneOptions["eval-share"]?.initial).toBe(String(dataDefaults.evalShare));
    expect(usage("finetune", "", finetuneOptions)).not.toContain("--probe");
  });

  it.each([
    [["--foo"], "The option --foo is unknown; --help lists the options."],
    [["words"], 'The argument "words" belongs to no option; --help lists the options.'],
    [["--lr", "abc"], '--lr is "abc"; it must be a number.'],
    [["--lr", ""], '--lr is ""; it must be a number.'],
    [["--rank", "0x10"], '--rank is "0x10"; it must be a number.'],
    [["--rank"], "--rank needs a value; one that starts with a dash is written --rank=-1."],
    [["--lr", "-1"], "--lr needs a value; one that starts with a dash is written --lr=-1."],
    [["--json=1"], "--json takes no value."],
    [["--steps", "1", "--epochs", "1"], "--steps and --epochs both say how long to train; give one of them."],
  ])("%j: %s", (args, message) => {
    expect(slip(() => fields(...args))).toBe(message);
  });

  it.each([
    [["--rank", "0"], "--rank is 0; it must be a whole number from 1 to 1024."],
    [["--rank", "1.5"], "--rank is 1.5; it must be a whole number from 1 to 1024."],
    [["--lr", "0"], "--lr is 0; it must be a number above 0"],
    [["--lr=-1"], "--lr is -1; it must be a number above 0"],
    [["--dropout", "1"], "--dropout is 1; it must be a number from 0"],
    [["--schedule", "wsd"], '--schedule is "wsd"; it must be constant, linear or cosine.'],
    [["--targets", "q_proj,,v_proj"], '--targets is ["q_proj","","v_proj"]; it must be'],
    [["--max-length", "1"], "--max-length is 1; it must be"],
    [["--grad-accum", "0"], "--grad-accum is 0; it must be"],
    [["--steps", "1e400"], "--steps is Infinity; it must be"],
  ])("%j is refused by the studio's own rules, in the option's name", async (args, message) => {
    const refused = await completeRecipe(fields(...args)).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(CommandError);
    expect(refused).toMatchObject({ exitCode: 2, message: expect.stringContaining(message) });
  });

  it("take a single GGUF file for a model", () => {
    const file = fileURLToPath(new URL("../golden/gguf/q8_0.gguf", import.meta.url));
    expect(modelInput({ model: file })).toEqual({ name: "q8_0", folder: dirname(file), files: ["q8_0.gguf"] });
    expect(() => modelInput({ model: "none.gguf" })).toThrow(CommandError);
  });

  it("leave learning rate and max length to the model unless they are given", async () => {
    expect(await completeRecipe({})).toEqual({ ...recipeDefaults, learningRate: null, maxLength: null });
    expect(await completeRecipe(fields("--lr", "1e-3", "--max-length", "64"))).toEqual(
      parseRecipe({ ...recipeDefaults, learningRate: 1e-3, maxLength: 64 }),
    );
  });
});

describe("the other commands' options", () => {
  it("are those that their usage lists", () => {
    expect(Object.keys(generateOptions)).toEqual([
      "prompt",
      "model",
      "adapter",
      "max-new-tokens",
      "temperature",
      "seed",
    ]);
    const reading = ["format", "template", "loss-on", "too-long", "skip-problems"];
    expect(Object.keys(evaluateOptions)).toEqual(["data", ...reading, "model", "adapter", "max-length", "json"]);
  });

  it("numbers out of range get a sentence", () => {
    const range = { initial: 1, min: 0, max: 5 };
    expect(numberIn({}, "seed", range)).toBe(1);
    expect(slip(() => numberIn({ seed: 6 }, "seed", range))).toBe(
      "--seed is 6; it must be a whole number from 0 to 5.",
    );
    expect(slip(() => numberIn({ seed: 0.5 }, "seed", range))).toContain("whole number");
  });
});

describe("the data's options", () => {
  const options = (...args: string[]) => dataOptions(parseOptions(args, finetuneOptions) ?? {});
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tabtune-data-"));
    writeFileSync(join(folder, "own.jinja"), "{{ messages[0].content }}");
    writeFileSync(join(folder, "a.csv"), "a");
    writeFileSync(join(folder, "b.csv"), "b");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("are the defaults where none are given, and reach the studio where they are", async () => {
    expect(await options()).toEqual(dataDefaults);
    const given = await options(
      ...["--format", "csv", "--template", "chatml", "--loss-on", "all", "--too-long", "split", "--skip-problems"],
      ...["--eval-share", "0.1"],
    );
    expect(given).toEqual({
      format: "csv",
      mapping: null,
      template: { kind: "named", id: "chatml" },
      lossOn: "all",
      tooLong: "split",
      skip: problemKinds,
      evalShare: 0.1,
    });
    expect((await options("--template", "model")).template).toEqual({ kind: "model" });
    expect((await options("--template", join(folder, "own.jinja"))).template).toEqual({
      kind: "own",
      jinja: "{{ messages[0].content }}",
    });
  });

  it.each([
    [["--loss-on", "answers"], '--loss-on is "answers"; it must be assistant, last, completion or all.'],
    [["--too-long", "cut"], '--too-long is "cut"; it must be truncate-right, truncate-left, drop, split or error.'],
    [["--eval-share", "0.6"], "--eval-share is 0.6; it must be a number from 0 to 0.5."],
    [["--eval-share", "0.1", "--eval", "x"], "--eval-share and --eval both say what is held out; give one of them."],
    [["--template", "no.jinja"], "--template no.jinja: there is no such file."],
  ])("%j: %s", async (args, message) => {
    expect(await options(...args).catch((error: unknown) => error)).toMatchObject({ exitCode: 2, message });
  });

  it("take several files in their order", () => {
    const files = [join(folder, "b.csv"), join(folder, "a.csv")];
    const values = parseOptions(["--data", files[0] ?? "", "--data", files[1] ?? ""], finetuneOptions) ?? {};
    expect(filesInput(values, "data", null)).toEqual(files);
    expect(filesInput(values, "eval", null)).toBeNull();
    expect(dataName(files)).toBe("b");
    expect(dataName(["/x/rows.jsonl.gz"])).toBe("rows");
    const missing = parseOptions(["--data", files[0] ?? "", "--data", "no.csv"], finetuneOptions) ?? {};
    expect(slip(() => filesInput(missing, "data", null))).toBe("--data no.csv: there is no such file.");
  });

  it("make notes of problems by kind, with the first lines of each", () => {
    const example = (line: number) => ({
      row: line - 1,
      file: "a.jsonl",
      line,
      column: null,
      field: null,
      message: `a.jsonl line ${line}: not valid JSON.`,
      excerpt: "",
    });
    const info = {
      problems: [
        { kind: "syntax" as const, rows: 7, skipped: false, examples: [1, 2, 3, 4, 5].map(example) },
        { kind: "shape" as const, rows: 1, skipped: true, examples: [example(9)] },
      ],
      rows: 12_000_000,
      surveyedRows: 4000,
      exact: false,
      droppedRows: 3,
      splitRows: 0,
      templateWarning: null,
      notes: ["rows.parquet: the column sound holds bytes and is left out."],
      heldOutRows: 1200,
      sharedHeldOutRows: 7,
    };
    expect(dataNotes(info)).toEqual([
      "12,000,000 rows are too many to look at: figures come from 4,000 of them.",
      "rows.parquet: the column sound holds bytes and is left out.",
      '7 rows with the problem "syntax":',
      ...[1, 2, 3, 4, 5].map((line) => `  a.jsonl line ${line}: not valid JSON.`),
      "  … and 2 more",
      '1 row with the problem "shape", left out:',
      "  a.jsonl line 9: not valid JSON.",
      "3 rows are longer than --max-length and dropped.",
      "Of 1,200 held-out rows, at least 7 are trained on as well, as equal rows: the held-out loss is too good.",
    ]);
    const well = { ...info, problems: [], exact: true, droppedRows: 0, notes: [] };
    expect(dataNotes({ ...well, sharedHeldOutRows: 0 })).toEqual([]);
    expect(dataNotes(well)).toEqual([
      "Of 1,200 held-out rows, 7 are trained on as well, as equal rows: the held-out loss is too good.",
    ]);
  });

  it("say in one line what the held-out rows lost", () => {
    const whole = { rows: 1200, truncatedRows: 0, droppedRows: 0, leftOutRows: 0, sampled: false };
    expect(heldOutNote(whole, 64)).toBeNull();
    expect(heldOutNote({ ...whole, truncatedRows: 3, leftOutRows: 1 }, 64)).toBe(
      "Held-out data: 3 rows cut to 64 tokens, 1 row with problems and left out; 1,200 rows measured.",
    );
    expect(heldOutNote({ ...whole, droppedRows: 1, sampled: true }, 64)).toBe(
      "Held-out data, a sample: 1 row longer than 64 tokens and dropped; 1,200 rows measured.",
    );
  });
});

describe("files and folders", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tabtune-options-"));
    mkdirSync(join(folder, "onnx"));
    mkdirSync(join(folder, "a", "b", "c"), { recursive: true });
    mkdirSync(join(folder, ".hidden"));
    for (const name of ["config.json", "onnx/model_q4.onnx", "a/b/c/deep.txt", ".hidden/x", ".x"])
      writeFileSync(join(folder, name), "x");
    symlinkSync(join(folder, "config.json"), join(folder, "link.json"));
    symlinkSync(join(folder, "nowhere"), join(folder, "broken"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("a model folder is its visible files, links followed", () => {
    expect(filesOf("model", folder)).toEqual(["config.json", "link.json", "onnx/model_q4.onnx"]);
  });

  it("what is missing is named", () => {
    expect(slip(() => filesOf("model", join(folder, "no")))).toMatch(/^--model .*no: there is no such folder\.$/);
    expect(slip(() => filesOf("model", join(folder, "config.json")))).toMatch(/this is not a folder/);
    expect(slip(() => adapterPaths("adapter", folder))).toMatch(
      /^--adapter .*: adapter_config\.json is missing; give a folder/,
    );
  });
});

describe("the commands themselves", () => {
  const command = (script: string, ...args: string[]) =>
    spawnSync(process.execPath, [join(root, "scripts", script), ...args], { cwd: root, encoding: "utf8" });

  it.each([
    ["finetune.mjs", ["--rank", "0"], "--rank is 0; it must be a whole number from 1 to 1024.\n"],
    ["finetune.mjs", ["--lr", "abc"], '--lr is "abc"; it must be a number.\n'],
    ["finetune.mjs", ["--data", "no.jsonl"], "--data no.jsonl: there is no such file.\n"],
    ["finetune.mjs", ["--eval", "src"], "--eval src: this is not a file.\n"],
    ["generate.mjs", [], "--prompt is missing; give the text to answer.\n"],
    [
      "generate.mjs",
      ["--prompt", "a", "--temperature=-1"],
      "--temperature is -1; it must be a number from 0 to 100.\n",
    ],
    ["evaluate.mjs", ["--max-length", "1"], "--max-length is 1; it must be a whole number from 2 to 1048576.\n"],
    ["evaluate.mjs", ["--adapter", "no"], "--adapter no: there is no such folder.\n"],
  ])("%s %j ends with exit code 2 and one sentence", { timeout: 60_000 }, (script, args, message) => {
    const { status, stdout, stderr } = command(script, ...args);
    expect({ status, stdout, stderr }).toEqual({ status: 2, stdout: "", stderr: message });
  });

  it.each(["finetune.mjs", "generate.mjs", "evaluate.mjs"])(
    "%s --help prints the usage",
    { timeout: 60_000 },
    (script) => {
      const { status, stdout, stderr } = command(script, "--help");
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toContain(`Usage: npm run ${script.replace(".mjs", "")} -- [options]`);
    },
  );
});
