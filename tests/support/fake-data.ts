/** The datasets of the fake client: a few canned rows, described as the worker would, by options and recipe. */
import type { Recipe } from "../../src/training/recipe";
import type {
  DataSource,
  DatasetInfo,
  DatasetProblems,
  ProblemKind,
  RowView,
  ShapeInfo,
} from "../../src/worker/protocol";

/** Without fault; with faulty rows; with columns that fit no shape; too large to be looked at as a whole. */
export type FakeDataset = "clean" | "problems" | "unmapped" | "large";

const talks: readonly (readonly [question: string, answer: string])[] = [
  ["Where do I find a good breakfast?", "Arr, follow yer nose to the harbour, where the frying pans never rest."],
  ["What is the weather like?", "The sky be black as a kraken's belly, so reef the sails."],
  ["How far is the moon?", "Farther than any ship has sailed, matey, and there be no rum on it."],
  ["Can you count to five?", "Aye: one, two, three, four, and a plank."],
  ["Do you have a parrot?", "Aye! She steals me biscuits and tells me secrets."],
  ["Which way is north?", "Where the needle points, unless ye dropped the compass in the soup."],
];

const problemLines: ReadonlyMap<number, { readonly kind: ProblemKind; readonly problem: string }> = new Map([
  [
    2,
    {
      kind: "no-answer",
      problem: "notes.jsonl line 3, messages: no message of the assistant has text; add the answer.",
    },
  ],
  [5, { kind: "syntax", problem: 'notes.jsonl line 6: "}" is missing at the end; close the object.' }],
  [
    8,
    {
      kind: "no-answer",
      problem: "notes.jsonl line 9, messages: no message of the assistant has text; add the answer.",
    },
  ],
]);

const pieces = (text: string): string[] => text.split(/(?= )/);

function row(index: number, dataset: FakeDataset): RowView {
  const [question, answer] = talks[index % talks.length] ?? ["", ""];
  const found = dataset === "problems" ? problemLines.get(index) : undefined;
  const torn = found?.kind === "syntax";
  const context = ["<|user|>", "\n", ...pieces(question), "\n", "<|assistant|>", "\n"];
  const learned = [...pieces(answer), "<|end|>"];
  const token = (counted: boolean, first: number) => (text: string, at: number) => ({ id: first + at, text, counted });
  const fine = found === undefined && dataset !== "unmapped";
  return {
    row: index,
    file: dataset === "problems" ? "notes.jsonl" : "pirate.jsonl",
    line: index + 1,
    cells: torn
      ? { "": '{"messages": [{"role": "user"' }
      : dataset === "unmapped"
        ? { ask: question, reply: answer, source: "log" }
        : {
            messages: JSON.stringify([
              { role: "user", content: question },
              { role: "assistant", content: found === undefined ? answer : "" },
            ]),
          },
    turns:
      torn || dataset === "unmapped"
        ? null
        : [
            { role: "user", content: question, trained: false },
            { role: "assistant", content: found === undefined ? answer : "", trained: found === undefined },
          ],
    tokens: fine ? [...context.map(token(false, 0)), ...learned.map(token(true, 100))] : [],
    length: fine ? context.length + learned.length : 0,
    problem: found?.problem ?? (dataset === "unmapped" ? "The columns ask, reply, source fit no shape." : null),
  };
}

const totals: Readonly<Record<FakeDataset, number>> = { clean: 120, problems: 24, unmapped: 24, large: 1_234_567 };

export function viewRows(
  dataset: FakeDataset,
  from: number,
  count: number,
  problem: ProblemKind | null,
): { readonly rows: readonly RowView[]; readonly total: number } {
  const wanted = [...problemLines].filter(([, { kind }]) => kind === problem).map(([index]) => index);
  const total = problem === null ? totals[dataset] : wanted.length;
  const indices = Array.from({ length: Math.max(0, Math.min(count, total - from)) }, (_, index) => from + index);
  return { rows: indices.map((index) => row(problem === null ? index : (wanted[index] ?? 0), dataset)), total };
}

const shapes: readonly ShapeInfo[] = [
  {
    id: "messages",
    label: "Chat messages (OpenAI)",
    fields: [
      { name: "messages", label: "Messages", required: true },
      { name: "tools", label: "Tools", required: false },
    ],
  },
  {
    id: "instruction",
    label: "Instruction and answer (Alpaca)",
    fields: [
      { name: "instruction", label: "Question or instruction", required: true },
      { name: "output", label: "Answer", required: true },
      { name: "system", label: "System prompt", required: false },
    ],
  },
  { id: "text", label: "Text", fields: [{ name: "text", label: "Text", required: true }] },
];

function problemsOf(dataset: FakeDataset, skip: readonly string[]): DatasetProblems[] {
  if (dataset !== "problems") return [];
  const kinds = [...new Set([...problemLines.values()].map(({ kind }) => kind))];
  return kinds.map((kind) => {
    const lines = [...problemLines].filter(([, line]) => line.kind === kind);
    return {
      kind,
      rows: lines.length,
      skipped: skip.includes(kind),
      examples: lines.map(([index, { problem }]) => ({
        row: index,
        file: "notes.jsonl",
        line: index + 1,
        column: kind === "syntax" ? 30 : null,
        field: kind === "syntax" ? null : "messages",
        message: problem,
        excerpt: Object.values(row(index, dataset).cells)[0] ?? "",
      })),
    };
  });
}

/** 12 of the sample's rows are longer than 200 tokens, none is longer than 231. */
const histogram = {
  edges: [0, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200, 220, 240],
  counts: [0, 2, 5, 9, 14, 21, 24, 16, 10, 7, 8, 4],
};

export function describe(dataset: FakeDataset, { name, files, options }: DataSource, recipe: Recipe): DatasetInfo {
  const rows = totals[dataset];
  const problems = problemsOf(dataset, options.skip);
  const mapped = dataset !== "unmapped" || options.mapping !== null;
  const open = problems.filter(({ skipped }) => !skipped);
  const over = recipe.maxLength < 220 ? 4 : 0;
  const refused = open.reduce((sum, group) => sum + group.rows, 0);
  const dropped = options.tooLong === "drop" ? over : 0;
  const heldOut = Math.round(rows * options.evalShare);
  const shape = shapes.find(({ id }) => id === (options.mapping?.shape ?? "messages"));
  return {
    name,
    bytes: files.reduce((sum, { blob }) => sum + blob.size, 0),
    files: files.map((file) => ({
      name: file.name,
      bytes: file.blob.size,
      rows: Math.round(rows / files.length),
      format: { id: options.format ?? "jsonl", label: options.format === "text" ? "Plain text" : "JSON Lines" },
    })),
    formats: [
      { id: "jsonl", label: "JSON Lines" },
      { id: "text", label: "Plain text" },
    ],
    rows,
    columns: dataset === "unmapped" ? ["ask", "reply", "source"] : ["messages"],
    shape: mapped && shape !== undefined ? { id: shape.id, label: shape.label } : null,
    shapes,
    suggestion:
      dataset === "unmapped" ? { shape: "instruction", columns: { instruction: "ask", output: "reply" } } : null,
    templates: [
      { id: "chatml", label: "ChatML (Qwen, SmolLM, Yi)" },
      { id: "plain", label: "None (contents only)" },
    ],
    templateWarning:
      options.template.kind === "model"
        ? null
        : "<|im_start|>, <|im_end|> are no single tokens of this model, which never saw them; choose a template without such markers, for example Zephyr or Alpaca.",
    surveyedRows: Math.min(rows, 4000),
    exact: dataset !== "large",
    examples: mapped ? rows - refused - dropped - heldOut : 0,
    tokens: mapped ? (dataset === "large" ? 146_500_000 : 14_230) : 0,
    countedTokens: mapped ? (dataset === "large" ? 62_800_000 : 6104) : 0,
    truncatedRows: options.tooLong.startsWith("truncate") ? over : 0,
    droppedRows: dropped,
    splitRows: options.tooLong === "split" ? over : 0,
    duplicateRows: dataset === "problems" ? 1 : 0,
    heldOutRows: heldOut,
    sharedHeldOutRows: 0,
    longestRow: mapped ? Math.min(231, recipe.maxLength) : 0,
    histogram: mapped ? histogram : { edges: [0, 1], counts: [0] },
    maxLength: recipe.maxLength,
    problems,
    notes: [],
    refusal: !mapped
      ? "The columns ask, reply, source fit no shape; say in the mapping which of them holds what."
      : refused > 0
        ? `${refused} of ${rows} rows cannot be trained, the first in notes.jsonl line 3; correct the file or skip these rows.`
        : null,
    steps: mapped ? (recipe.steps ?? 30) : 0,
    stepsPerEpoch: mapped ? 10 : 0,
    preview: viewRows(mapped && dataset === "unmapped" ? "clean" : dataset, 0, 10, null).rows.map((view) => ({
      ...view,
      cells: row(view.row, dataset).cells,
    })),
  };
}
