/** Token ids, decoded texts and rendered chats against transformers (tests/golden/tokenizer.py). */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Message } from "../../src/data/tokenizer";
import { filesFolder } from "../../src/model/folder";
import { loadTokenizer } from "../../src/model/tokenizer";
import golden from "../golden/tokenizer.json";

type Files = Readonly<Record<string, unknown>>;

function folder(files: Files) {
  const all: Files = { "config.json": {}, ...files };
  return filesFolder(
    "model",
    Object.entries(all).map(([path, value]) => ({
      path,
      blob: new Blob([typeof value === "string" ? value : JSON.stringify(value)]),
    })),
  );
}

const [plain] = golden.tokenizers;
if (!plain) throw new TypeError("tests/golden/tokenizer.json is empty");
const plainFiles: Files = plain.files;

const embeddedRoot = new URL(`../../${golden.embedded.name}/`, import.meta.url);
const embeddedFiles: Record<string, string> = {};
for (const path of ["tokenizer.json", "tokenizer_config.json"]) {
  embeddedFiles[path] = readFileSync(new URL(path, embeddedRoot), "utf-8").replaceAll("\r\n", "\n");
}

it("the embedded tokenizer is the one that the golden file was made from", () => {
  const digest = createHash("sha256")
    .update(embeddedFiles["tokenizer.json"] ?? "")
    .digest("hex");
  expect(digest, "run tests/golden/tokenizer.py again").toBe(golden.embedded.sha256);
});

const cases = [...golden.tokenizers, { ...golden.embedded, files: embeddedFiles }];

describe.each(cases)("tokenizer $name", (expected) => {
  const loading = loadTokenizer(folder(expected.files));

  it("has transformers' sizes and special tokens", async () => {
    const tokenizer = await loading;
    expect(tokenizer.vocabSize).toBe(expected.vocabSize);
    expect(tokenizer.eosTokenId).toBe(expected.eosTokenId);
    expect(tokenizer.bosTokenId).toBe(expected.bosTokenId);
    expect(tokenizer.eosToken).toBe("<|im_end|>");
    expect(tokenizer.hasChatTemplate).toBe(true);
  });

  it.each(expected.probes)("encodes and decodes $text", async (probe) => {
    const tokenizer = await loading;
    expect(tokenizer.encode(probe.text, { addSpecialTokens: false })).toEqual(probe.ids);
    expect(tokenizer.encode(probe.text)).toEqual(probe.idsWithSpecial);
    expect(tokenizer.decode(probe.idsWithSpecial)).toBe(probe.decoded);
    expect(tokenizer.decode(probe.idsWithSpecial, { skipSpecialTokens: true })).toBe(probe.decodedPlain);
  });

  it.each(expected.chats)("renders $messages.length messages, generation prompt $addGenerationPrompt", async (chat) => {
    const tokenizer = await loading;
    const text = tokenizer.renderChat(chat.messages.map(message), { addGenerationPrompt: chat.addGenerationPrompt });
    expect(text).toBe(chat.text);
    expect(tokenizer.encode(text, { addSpecialTokens: false })).toEqual(chat.ids);
  });
});

function message({ role, content }: { role: string; content: string }): Message {
  if (role !== "system" && role !== "user" && role !== "assistant") throw new TypeError(role);
  return { role, content };
}

const tiny = {
  ...{ normalizer: null, pre_tokenizer: null, post_processor: null, decoder: { type: "ByteLevel" }, added_tokens: [] },
  model: { type: "BPE", vocab: { a: 0, b: 1, "<|im_end|>": 2 }, merges: [] },
};
const bare = { eos_token: "<|im_end|>" };

describe("a tokenizer that cannot be used", () => {
  it.each([
    [
      "no model",
      { "tokenizer.json": { version: "1.0" } },
      "tokenizer.json of model is wrong at model; it must be a file of the Hugging Face tokenizers library.",
    ],
    ["a list", { "tokenizer.json": [] }, "tokenizer.json of model is wrong at its top;"],
    [
      "a fractional id",
      { "tokenizer.json": { model: { type: "BPE", vocab: { a: 0.5 }, merges: [] } } },
      "tokenizer.json of model is wrong at model.vocab",
    ],
    [
      "a huge id",
      { "tokenizer.json": { model: { type: "BPE", vocab: { a: 2 ** 31 }, merges: [] } } },
      "tokenizer.json of model is wrong at model.vocab",
    ],
    [
      "an unknown model",
      { "tokenizer.json": { model: { type: "Nope", vocab: {} } } },
      "tokenizer.json of model cannot be used (",
    ],
    ["no JSON", { "tokenizer.json": "{" }, "tokenizer.json of model is not valid JSON ("],
    [
      "no eos",
      { "tokenizer_config.json": {} },
      "tokenizer_config.json of model names no eos_token; training needs the token that ends a turn, set eos_token.",
    ],
    [
      "a foreign eos",
      { "tokenizer_config.json": { eos_token: "</s>" } },
      'tokenizer_config.json of model names the eos_token "</s>", which tokenizer.json lacks;',
    ],
    [
      "a configuration that is a list",
      { "tokenizer_config.json": [] },
      "tokenizer_config.json of model must be a JSON object;",
    ],
    [
      "a broken template",
      { "tokenizer_config.json": { ...bare, chat_template: "{% if %}" } },
      "The chat template in tokenizer_config.json of model cannot be parsed (",
    ],
    [
      "a template of the wrong kind",
      { "tokenizer_config.json": { ...bare, chat_template: 5 } },
      "has a chat_template that is neither a text nor a list",
    ],
  ])("%s", async (_, files: Files, expected) => {
    await expect(loadTokenizer(folder({ ...plainFiles, ...files }))).rejects.toThrow(expected);
  });

  it("says that there is no chat template", async () => {
    const tokenizer = await loadTokenizer(folder({ ...plainFiles, "tokenizer_config.json": bare }));
    expect(tokenizer.hasChatTemplate).toBe(false);
    expect(() => tokenizer.renderChat([{ role: "user", content: "x" }])).toThrow(
      "model has no chat template (tokenizer_config.json: chat_template); pick a chat model or give prompt and completion.",
    );
  });

  it("passes on what a template refuses", async () => {
    const template = "{{ raise_exception('roles must alternate') }}";
    const tokenizer = await loadTokenizer(
      folder({ ...plainFiles, "tokenizer_config.json": { ...bare, chat_template: template } }),
    );
    expect(() => tokenizer.renderChat([{ role: "user", content: "x" }])).toThrow(
      "The chat template of model refuses the messages with roles user: roles must alternate.",
    );
  });

  it("takes the default of a list of templates, and the one for tools where there are any", async () => {
    const list = [
      { name: "tool_use", template: "tools {{ tools | length }}" },
      { name: "default", template: "{{ messages[0].content }}" },
    ];
    const tokenizer = await loadTokenizer(
      folder({ ...plainFiles, "tokenizer_config.json": { eos_token: { content: "<|im_end|>" }, chat_template: list } }),
    );
    expect(tokenizer.renderChat([{ role: "user", content: "x" }])).toBe("x");
    expect(tokenizer.renderChat([{ role: "user", content: "x" }], { tools: null })).toBe("x");
    expect(tokenizer.renderChat([{ role: "user", content: "x" }], { tools: [{}, {}] })).toBe("tools 2");
  });

  it("hands a template the fields that a message has and no others", async () => {
    const tokenizer = await loadTokenizer(folder({ ...plainFiles, "tokenizer_config.json": bare }));
    const chosen = tokenizer.withTemplate("{% for m in messages %}{{ m | tojson }};{% endfor %}");
    expect(
      chosen.renderChat([
        { role: "user", content: "a", weight: 0 },
        { role: "assistant", content: "", reasoning_content: "b", tool_calls: [{ id: "1" }], weight: 1 },
        { role: "tool", content: "4", tool_call_id: "1", name: "f" },
      ]),
    ).toBe(
      '{"role": "user", "content": "a"};{"role": "assistant", "content": "", "reasoning_content": "b", "tool_calls": [{"id": "1"}]};{"role": "tool", "content": "4", "tool_call_id": "1", "name": "f"};',
    );
    expect(tokenizer.hasChatTemplate).toBe(false);
    expect(() => tokenizer.withTemplate("{{")).toThrow("The chat template for model cannot be parsed (");
  });

  it("names the first roles of a long chat that a template refuses", async () => {
    const tokenizer = await loadTokenizer(folder(plainFiles));
    const long = Array.from({ length: 40 }, (): Message => ({ role: "user", content: "x" }));
    expect(() => tokenizer.withTemplate("{{ raise_exception('no') }}").renderChat(long)).toThrow(
      `roles ${"user, ".repeat(11)}user and 28 more: no.`,
    );
  });

  it("skips what the vocabulary cannot spell, as the Python library does, and ids beyond it", async () => {
    const tokenizer = await loadTokenizer(folder({ "tokenizer.json": tiny, "tokenizer_config.json": bare }));
    expect(tokenizer.encode("abcb")).toEqual([0, 1, 1]);
    expect(tokenizer.decode([0, 99])).toBe("a");
    expect(tokenizer.decode([])).toBe("");
  });

  it("refuses a special token that the vocabulary lacks", async () => {
    const post = {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
    };
    const files = { "tokenizer.json": { ...tiny, post_processor: post }, "tokenizer_config.json": bare };
    const tokenizer = await loadTokenizer(folder(files));
    expect(() => tokenizer.encode("a")).toThrow(
      'tokenizer.json of model has no id for the token "<s>"; it is damaged, download it again or pick another model.',
    );
  });
});
