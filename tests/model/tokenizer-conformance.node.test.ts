/** Chat templates of well-known models and naughty strings, from ../shared/data, against transformers (tests/golden/data_conformance.py). */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import { dataDefaults } from "../../src/data/options";
import { tokenize } from "../../src/data/tokenize";
import type { Message } from "../../src/data/tokenizer";
import { strftime } from "../../src/model/strftime";
import { anywhere, chat, goldenTokenizer } from "../support/data-tokenizer";

interface Golden {
  readonly date: string;
  readonly conversations: readonly { readonly messages: readonly Message[]; readonly tools?: readonly unknown[] }[];
  /** File → digest for each conversation without and with generation prompt; null where transformers refuses. */
  readonly templates: Readonly<Record<string, readonly (string | null)[]>>;
  readonly naughty: readonly string[];
}

const golden: Golden = JSON.parse(readFileSync(new URL("../golden/data-conformance.json", import.meta.url), "utf8"));
const shared = new URL("../../../shared/data/conformance/", import.meta.url);
const folders = { templates: "chat-templates-llamacpp/templates/", naughty: "naughty-strings/" };

/** What Python renders and the Jinja library does not: `None | selectattr` fails in Python only once it is looked at. */
const refusedHere: Readonly<Record<string, { readonly withoutTools: boolean; readonly reason: string }>> = {
  "meetkai-functionary-medium-v3.1.jinja": {
    withoutTools: true,
    reason: 'Cannot apply filter "selectattr" to type: NullValue',
  },
};

/** The test, or a skipped one that says why. */
function where(folder: string, name: string, body: () => Promise<void>): void {
  if (existsSync(new URL(folder, shared))) it(name, body, 60_000);
  else {
    console.warn(`SKIPPED: ${name}: ../shared/data/conformance/${folder} is not here`);
    it.skip(`${name} (skipped: ../shared/data/conformance/${folder} is not here)`, () => {});
  }
}

const digest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);

afterEach(() => {
  vi.useRealTimers();
});

describe("chat templates of well-known models", () => {
  for (const [file, digests] of Object.entries(golden.templates)) {
    where(folders.templates, `${file} renders as with transformers`, async () => {
      vi.useFakeTimers({ toFake: ["Date"], now: new Date(`${golden.date}T12:00:00`) });
      const template = readFileSync(new URL(folders.templates + file, shared), "utf8");
      const tokenizer = await goldenTokenizer(template);
      let compared = 0;
      for (const [index, expected] of digests.entries()) {
        const { messages, tools } = golden.conversations[index >> 1] ?? { messages: [] };
        const options = { addGenerationPrompt: index % 2 === 1, tools: tools ?? null };
        // What Python refuses, JavaScript may render: the languages differ in what can be added or listed.
        if (expected === null) continue;
        const known = refusedHere[file];
        if (known && known.withoutTools === (tools === undefined)) {
          expect(() => tokenizer.renderChat(messages, options)).toThrow(known.reason);
          continue;
        }
        const text = tokenizer.renderChat(messages, options);
        expect(digest(text), text).toBe(expected);
        compared++;
      }
      if (compared === 0) console.warn(`transformers renders none of the conversations with ${file}`);
    });
  }
});

/** What is learned of two answers "two" and "four", by template, or why a system message is refused. */
const learnedWith: Readonly<Record<string, readonly [markers: readonly string[], learned: string | RegExp]>> = {
  "Qwen-Qwen2.5-7B-Instruct.jinja": [[], "two<|im_end|>four<|im_end|>"],
  "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja": [
    ["<｜User｜>", "<｜Assistant｜>", "<｜end▁of▁sentence｜>"],
    "two<｜end▁of▁sentence｜>four<｜end▁of▁sentence｜>",
  ],
  "meta-llama-Llama-3.2-3B-Instruct.jinja": [
    ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
    "two<|eot_id|>four<|eot_id|>",
  ],
  "meetkai-functionary-medium-v3.2.jinja": [
    ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
    "all\ntwo<|eot_id|>all\nfour<|eot_id|>",
  ],
  // It ends every conversation with EOS besides.
  "microsoft-Phi-3.5-mini-instruct.jinja": [
    ["<|user|>", "<|assistant|>", "<|system|>", "<|end|>"],
    "two<|end|>four<|end|>\n<|im_end|>",
  ],
  "google-gemma-2-2b-it.jinja": [["<start_of_turn>", "<end_of_turn>"], /System role not supported/],
  // It drops the system message where an answer follows.
  "mistralai-Mistral-Nemo-Instruct-2407.jinja": [
    ["[INST]", "[/INST]"],
    /messages\[2\]: the chat template writes the messages before this turn differently when it follows/,
  ],
};

describe("the masks of well-known templates", () => {
  for (const [file, [markers, expected]] of Object.entries(learnedWith)) {
    where(folders.templates, `${file} learns the answers and their ends`, async () => {
      const tokenizer = await goldenTokenizer(
        readFileSync(new URL(folders.templates + file, shared), "utf8"),
        false,
        markers,
      );
      const learned = (messages: readonly Message[]) => {
        const [example] = tokenize(chat(messages), tokenizer, { ...dataDefaults, maxLength: 10_000 }).examples;
        return tokenizer.decode(example?.ids.filter((_, at) => example.counted[at] === 1) ?? []);
      };
      const messages: readonly Message[] = [
        { role: "system", content: "zero" },
        { role: "user", content: "one" },
        { role: "assistant", content: "two" },
        { role: "user", content: "three" },
        { role: "assistant", content: "four" },
      ];
      if (typeof expected === "string") expect(learned(messages)).toBe(expected);
      else {
        expect(() => learned(messages)).toThrow(expected);
        expect(learned(messages.slice(1))).toMatch(/^two<.+>four<.+>$/);
      }
    });
  }
});

describe("naughty strings", () => {
  where(folders.naughty, "have transformers' ids, come back whole, and survive as content and as text", async () => {
    const strings: readonly string[] = JSON.parse(readFileSync(new URL(`${folders.naughty}blns.json`, shared), "utf8"));
    expect(strings.length).toBe(golden.naughty.length);
    const tokenizer = await goldenTokenizer("chatml");
    for (const [index, text] of strings.entries()) {
      const ids = tokenizer.encode(text);
      expect(digest(ids.join(",")), text).toBe(golden.naughty[index]);
      expect(tokenizer.decode(ids), text).toBe(text);
      const messages = [
        { role: "user", content: text },
        { role: "assistant", content: text },
        { role: "user", content: "x" },
        { role: "assistant", content: text },
      ] as const;
      const options = { ...dataDefaults, maxLength: 100_000 };
      const [example] = tokenize(chat(messages), tokenizer, options).examples;
      const learned = tokenizer.decode(example?.ids.filter((_, at) => example.counted[at] === 1) ?? []);
      // The newline before the content is the template's; a merge may join it with the content's first characters.
      expect(learned.replaceAll("\n", ""), text).toBe(`${text}<|im_end|>`.repeat(2).replaceAll("\n", ""));
      // An empty text has no token but the last, which nothing predicts.
      if (text === "") continue;
      const [plain] = tokenize({ kind: "text", origin: anywhere, text }, tokenizer, options).examples;
      expect(tokenizer.decode(plain?.ids ?? []), text).toBe(`${text}<|im_end|>`);
    }
  });
});

describe("strftime", () => {
  it("writes what Python's does, in English whatever the browser's language", () => {
    const date = new Date(2026, 4, 3, 15, 7, 9);
    expect(strftime(date, "%d %b %Y, %A %B %a %y-%m %H:%M:%S %I %p 100%% %q")).toBe(
      "03 May 2026, Sunday May Sun 26-05 15:07:09 03 PM 100% %q",
    );
    expect(strftime(new Date(2026, 0, 1), "%I %p")).toBe("12 AM");
  });
});
