/**
 * Public datasets as people have them: every row is a conversation, or refused for a fault that it really has. The files lie
 * outside the repository; small rows of the same make are tested always.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { DataError, type ProblemKind } from "../../src/data/errors";
import { conversationFromRow, detectShape } from "../../src/data/shapes/index";
import type { Conversation } from "../../src/data/types";

const folder = resolve(import.meta.dirname, "../../../shared/data/datasets");

interface Expected {
  readonly file: string;
  /** Detected, or guessed from the column names. */
  readonly shape: string | null;
  readonly guessed?: true;
  readonly read: number;
  readonly turns?: number;
  readonly refused?: { readonly rows: number; readonly kind: ProblemKind; readonly sentence: string };
}

const question = "fastchat/llm_judge/data/mt_bench/question.jsonl";
const datasets: readonly Expected[] = [
  { file: "axolotl-fixtures/alpaca/alpaca.json", shape: "instruction", read: 2 },
  { file: "axolotl-fixtures/conversation.json", shape: "conversations", read: 1, turns: 12 },
  {
    file: "axolotl-fixtures/conversation.missingturns.json",
    shape: "conversations",
    read: 0,
    refused: {
      rows: 1,
      kind: "empty",
      sentence: "conversations[1].value: it is empty; fill it in or leave the row out.",
    },
  },
  { file: "axolotl-fixtures/conversation.tokenized.json", shape: "tokens", read: 1 },
  { file: "axolotl-fixtures/conversation.tokenized_llama2chat.json", shape: "tokens", read: 1 },
  { file: "fastchat/data/dummy_conversation.json", shape: "conversations", read: 500, turns: 2000 },
  {
    // Questions for models to answer: no answers.
    file: `fastchat/${question}`,
    shape: null,
    read: 0,
    refused: { rows: 80, kind: "shape", sentence: '"question_id", "category", "turns"' },
  },
  { file: "gsm8k/test.jsonl", shape: "instruction", guessed: true, read: 1319, turns: 2638 },
  { file: "gsm8k/train.jsonl", shape: "instruction", guessed: true, read: 7473, turns: 14946 },
  { file: "litgpt-fixtures/alpaca.json", shape: "instruction", read: 23, turns: 46 },
  { file: "litgpt-fixtures/dolly.json", shape: "instruction", guessed: true, read: 12, turns: 24 },
  { file: "litgpt-fixtures/longform_train.json", shape: "instruction", guessed: true, read: 17, turns: 34 },
  { file: "litgpt-fixtures/longform_val.json", shape: "instruction", guessed: true, read: 9, turns: 18 },
  { file: "llama-factory-demo/c4_demo.jsonl", shape: "text", read: 300 },
  {
    // A list of datasets, not one itself.
    file: "llama-factory-demo/dataset_info.json",
    shape: null,
    read: 0,
    refused: { rows: 1, kind: "shape", sentence: 'the columns "identity", "alpaca_en_demo",' },
  },
  { file: "llama-factory-demo/glaive_toolcall_en_demo.json", shape: "conversations", read: 300, turns: 1914 },
  { file: "llama-factory-demo/identity.json", shape: "instruction", read: 91, turns: 182 },
  { file: "llms-from-scratch/ch07/01_main-chapter-code/instruction-data.json", shape: "instruction", read: 1100 },
  {
    file: "llms-from-scratch/ch07/04_preference-tuning-with-dpo/instruction-data-with-preference.json",
    shape: "instruction",
    read: 1100,
  },
  { file: "mlx-examples/test.jsonl", shape: "text", read: 100 },
  { file: "mlx-examples/train.jsonl", shape: "text", read: 1000 },
  { file: "mlx-examples/valid.jsonl", shape: "text", read: 100 },
  { file: "self-instruct-seed/data/seed_tasks.jsonl", shape: "self-instruct", read: 175, turns: 350 },
  {
    file: "self-instruct-seed/human_eval/user_oriented_instructions.jsonl",
    shape: "self-instruct",
    read: 252,
    turns: 504,
  },
];

function rowsOf(path: string): readonly unknown[] {
  const text = readFileSync(path, "utf8");
  if (path.endsWith(".jsonl")) {
    return text
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line): unknown => JSON.parse(line));
  }
  const value: unknown = JSON.parse(text);
  return Array.isArray(value) ? value : [value];
}

/** The first rows give shape and suggestion, as a user who agrees would have it; then every row is read. */
function readAll(file: string, rows: readonly unknown[]) {
  const { shape, suggestion } = detectShape(rows.slice(0, 20));
  const read: Conversation[] = [];
  const refused: DataError[] = [];
  for (const [index, row] of rows.entries()) {
    try {
      read.push(conversationFromRow(row, { file, line: index + 1 }, suggestion));
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      refused.push(error);
    }
  }
  return { shape: shape?.id ?? suggestion?.shape ?? null, isGuess: suggestion !== null, read, refused };
}

describe("public datasets", () => {
  if (!existsSync(folder)) {
    console.warn(`SKIPPED: the public datasets are not at ${folder}; only the small fixtures were tested.`);
    it.skip("the public datasets are not beside the repository (../shared/data/datasets)");
    return;
  }
  it.each(datasets)("$file", ({ file, shape, guessed = false, read, turns, refused }) => {
    const result = readAll(file, rowsOf(join(folder, file)));
    expect(result.refused.map(({ message }) => message).slice(0, 3)).toEqual(
      Array.from({ length: Math.min(3, refused?.rows ?? 0) }, () => expect.stringContaining(refused?.sentence ?? "")),
    );
    expect(result.refused.every(({ kind }) => kind === refused?.kind)).toBe(true);
    expect(result).toMatchObject({ shape, isGuess: guessed });
    expect(result.read.length).toBe(read);
    expect(result.refused.length).toBe(refused?.rows ?? 0);
    if (turns !== undefined) {
      const counts = result.read.map((row) => (row.kind === "messages" ? row.messages.length : 0));
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(turns);
    }
  });

  it("keep the labels of tokens: 1798 and 1793 are learned", () => {
    const counts = ["conversation.tokenized.json", "conversation.tokenized_llama2chat.json"].map((name) => {
      const file = `axolotl-fixtures/${name}`;
      const [row] = readAll(file, rowsOf(join(folder, file))).read;
      return row?.kind === "tokens" ? row.labels.filter((label) => label !== -100).length : null;
    });
    expect(counts).toEqual([1798, 1793]);
  });

  it("keep tools and tool calls: 191 conversations with tools, 211 calls", () => {
    const file = "llama-factory-demo/glaive_toolcall_en_demo.json";
    const chats = readAll(file, rowsOf(join(folder, file))).read.filter((row) => row.kind === "messages");
    expect(chats.filter(({ tools }) => tools !== undefined).length).toBe(191);
    expect(chats.flatMap(({ messages }) => messages.filter((message) => message.tool_calls)).length).toBe(211);
  });
});

describe("rows of their make", () => {
  const turns = [
    { from: "human", value: "Add 1 and 1." },
    { from: "function_call", value: '{"name": "add", "arguments": {"a": 1, "b": 1}}' },
    { from: "observation", value: '{"sum": 2}' },
    { from: "gpt", value: "It is 2." },
  ];
  const tools = '[{"name": "add", "description": "Adds", "parameters": {"type": "object", "properties": {}}}]';
  const own: readonly (Omit<Expected, "file"> & { readonly name: string; readonly rows: readonly unknown[] })[] = [
    { name: "Glaive", shape: "conversations", read: 1, turns: 4, rows: [{ conversations: turns, tools }] },
    {
      name: "GSM8K",
      shape: "instruction",
      guessed: true,
      read: 1,
      turns: 2,
      rows: [{ question: "1 + 1?", answer: "#### 2" }],
    },
    {
      name: "Dolly",
      shape: "instruction",
      guessed: true,
      read: 1,
      turns: 2,
      rows: [{ instruction: "When?", context: "In May.", response: "May", category: "closed_qa" }],
    },
    {
      name: "Self-Instruct",
      shape: "self-instruct",
      read: 1,
      turns: 2,
      rows: [
        {
          id: "seed_0",
          name: "x",
          instruction: "Add.",
          instances: [{ input: "1 1", output: "2" }],
          is_classification: false,
        },
      ],
    },
    {
      name: "MT-Bench",
      shape: null,
      read: 0,
      rows: [{ question_id: 81, category: "writing", turns: ["Write.", "Again."] }],
      refused: {
        rows: 1,
        kind: "shape",
        sentence: 'the row has the columns "question_id", "category", "turns", which is no',
      },
    },
    {
      name: "missing turns",
      shape: "conversations",
      read: 1,
      rows: [{ conversations: turns }, { conversations: [turns[0], { from: "gpt", value: "" }] }],
      refused: { rows: 1, kind: "empty", sentence: "x line 2, conversations[1].value: it is empty;" },
    },
  ];
  it.each(own)("$name", ({ shape, guessed = false, read, rows, refused }) => {
    const result = readAll("x", rows);
    expect(result).toMatchObject({ shape, isGuess: guessed });
    expect(result.read.length).toBe(read);
    expect(result.refused.map(({ kind }) => kind)).toEqual(refused === undefined ? [] : [refused.kind]);
    if (refused !== undefined) expect(result.refused[0]?.message).toContain(refused.sentence);
  });
});
