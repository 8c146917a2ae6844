/** The tokenizer of a model folder: tokenizer.json, its configuration and its chat template behind the interface that data needs. */
import { Template } from "@huggingface/jinja";
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import * as z from "zod/mini";
import type { Message, RenderOptions, Tokenizer } from "../data/tokenizer";
import { TokenizerError } from "./errors";
import { readJson, readText } from "./folder";
import { strftime } from "./strftime";
import { libraryJson } from "./tokenizers/library-steps";
import type { ModelFiles } from "./weights/types";

const tokenizerFile = "tokenizer.json";
const configFile = "tokenizer_config.json";
const specialTokensFile = "special_tokens_map.json";
const templateFile = "chat_template.jinja";
const maxTokenizerBytes = 256 * 1024 * 1024;
const maxConfigBytes = 32 * 1024 * 1024;
const maxTokenId = 2 ** 22;
/** Roles that a refusal lists. */
const mostRolesNamed = 12;

const objectSchema = z.record(z.string(), z.unknown());
const tokenizerSchema = z.looseObject({
  model: z.looseObject({
    vocab: z.union([z.record(z.string(), z.int().check(z.minimum(0), z.maximum(maxTokenId))), z.array(z.unknown())]),
  }),
  added_tokens: z.optional(
    z.nullable(z.array(z.looseObject({ id: z.int().check(z.minimum(0), z.maximum(maxTokenId)), content: z.string() }))),
  ),
});
/** A special token is written as text or as an AddedToken. */
const tokenSchema = z.union([z.string(), z.looseObject({ content: z.string() })]);
const templateSchema = z.union([z.string(), z.array(z.looseObject({ name: z.string(), template: z.string() }))]);

type Json = Readonly<Record<string, unknown>>;

/** Throws `ModelError` for missing or unreadable files and `TokenizerError` for what they hold. */
export async function loadTokenizer(folder: ModelFiles): Promise<Tokenizer> {
  const json = z.safeParse(tokenizerSchema, await readJson(folder, tokenizerFile, maxTokenizerBytes));
  if (!json.success) {
    const field = json.error.issues[0]?.path.join(".") || "its top";
    throw new TokenizerError(
      `${tokenizerFile} of ${folder.name} is wrong at ${field}; it must be a file of the Hugging Face tokenizers library.`,
    );
  }
  const config = await optionalObject(folder, configFile);
  let inner: HuggingFaceTokenizer;
  try {
    inner = new HuggingFaceTokenizer(libraryJson(json.data), config);
  } catch (error) {
    throw new TokenizerError(
      `${tokenizerFile} of ${folder.name} cannot be used (${reasonOf(error)}); pick a model with another tokenizer.`,
      { cause: error },
    );
  }
  const special = specialTokens({ ...(await optionalObject(folder, specialTokensFile)), ...config });
  const templates = await readTemplates(folder, config);
  return new FolderTokenizer(folder.name, inner, special, templates, config["clean_up_tokenization_spaces"] === true);
}

interface Templates {
  readonly plain: Template;
  /** For chats with a list of tools. */
  readonly withTools: Template;
}

class FolderTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly eosTokenId: number;
  readonly eosToken: string;
  readonly bosTokenId: number | null;
  readonly hasChatTemplate: boolean;
  readonly #name: string;
  readonly #inner: HuggingFaceTokenizer;
  readonly #special: ReadonlyMap<string, string>;
  readonly #templates: Templates | null;
  readonly #cleanUp: boolean;

  constructor(
    name: string,
    inner: HuggingFaceTokenizer,
    special: ReadonlyMap<string, string>,
    templates: Templates | null,
    cleanUp: boolean,
  ) {
    this.#name = name;
    this.#inner = inner;
    this.#special = special;
    this.#templates = templates;
    this.#cleanUp = cleanUp;
    this.hasChatTemplate = templates !== null;
    let last = -1;
    for (const id of inner.get_vocab().values()) last = Math.max(last, id);
    this.vocabSize = last + 1;
    this.eosToken = special.get("eos_token") ?? "";
    const eos = inner.token_to_id(this.eosToken);
    if (eos === undefined) {
      const found = special.has("eos_token")
        ? `the eos_token "${this.eosToken}", which ${tokenizerFile} lacks`
        : "no eos_token";
      throw new TokenizerError(
        `${configFile} of ${name} names ${found}; training needs the token that ends a turn, set eos_token.`,
      );
    }
    this.eosTokenId = eos;
    const bos = special.get("bos_token");
    this.bosTokenId = bos === undefined ? null : (inner.token_to_id(bos) ?? null);
  }

  encode(text: string, options: { readonly addSpecialTokens?: boolean } = {}): number[] {
    const { ids, tokens } = this.#inner.encode(text, { add_special_tokens: options.addSpecialTokens ?? true });
    // The library leaves a hole where a post-processor or an unknown token has no id.
    const unknown = ids.findIndex((id) => !Number.isInteger(id));
    if (unknown >= 0) {
      throw new TokenizerError(
        `${tokenizerFile} of ${this.#name} has no id for the token "${tokens[unknown] ?? ""}"; it is damaged, download it again or pick another model.`,
      );
    }
    return ids;
  }

  decode(ids: ArrayLike<number>, options: { readonly skipSpecialTokens?: boolean } = {}): string {
    // A model's vocabulary may be padded beyond the tokenizer's; such ids stand for nothing.
    const known = Array.from(ids).filter((id) => this.#inner.id_to_token(id) !== undefined);
    if (known.length === 0) return "";
    return this.#inner.decode(known, {
      skip_special_tokens: options.skipSpecialTokens ?? false,
      clean_up_tokenization_spaces: this.#cleanUp,
    });
  }

  renderChat(messages: readonly Message[], options: RenderOptions = {}): string {
    if (!this.#templates) {
      throw new TokenizerError(
        `${this.#name} has no chat template (${configFile}: chat_template); pick a chat model or give prompt and completion.`,
      );
    }
    const { plain, withTools } = this.#templates;
    const template = options.tools ? withTools : plain;
    try {
      return template.render({
        ...Object.fromEntries(this.#special),
        messages: messages.map(templateMessage),
        // Python passes None for both, and templates test for it.
        tools: options.tools ?? null,
        documents: null,
        add_generation_prompt: options.addGenerationPrompt ?? false,
        english_now: (format: string) => strftime(new Date(), format),
      });
    } catch (error) {
      throw new TokenizerError(
        `The chat template of ${this.#name} refuses the messages with roles ${rolesOf(messages)}: ${reasonOf(error)}.`,
        { cause: error },
      );
    }
  }

  withTemplate(template: string): Tokenizer {
    const parsed = parseTemplate(template, `The chat template for ${this.#name}`);
    const templates = { plain: parsed, withTools: parsed };
    return new FolderTokenizer(this.#name, this.#inner, this.#special, templates, this.#cleanUp);
  }
}

/** The fields that templates know; what a message lacks is left undefined, as templates test for it. */
function templateMessage(message: Message): Json {
  const { role, content, reasoning_content, tool_calls, tool_call_id, name, input } = message;
  return {
    role,
    content,
    ...(reasoning_content !== undefined && { reasoning_content }),
    ...(tool_calls && { tool_calls }),
    ...(tool_call_id !== undefined && { tool_call_id }),
    ...(name !== undefined && { name }),
    ...(input !== undefined && { input }),
  };
}

function rolesOf(messages: readonly Message[]): string {
  const first = messages.slice(0, mostRolesNamed).map(({ role }) => role);
  const more = messages.length - first.length;
  return first.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

async function optionalObject(folder: ModelFiles, path: string): Promise<Json> {
  if (!folder.paths.includes(path)) return {};
  const parsed = z.safeParse(objectSchema, await readJson(folder, path, maxConfigBytes));
  if (!parsed.success)
    throw new TokenizerError(`${path} of ${folder.name} must be a JSON object; use the file of the model.`);
  return parsed.data;
}

function specialTokens(json: Json): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const name of ["bos_token", "eos_token", "unk_token", "pad_token"]) {
    const token = z.safeParse(tokenSchema, json[name]);
    if (token.success) found.set(name, typeof token.data === "string" ? token.data : token.data.content);
  }
  return found;
}

/**
 * A file of its own wins over the entry in tokenizer_config.json; of a list, the template named "default" and, for chats with tools,
 * "tool_use", as transformers takes them.
 */
async function readTemplates(folder: ModelFiles, config: Json): Promise<Templates | null> {
  const parse = (text: string, file: string) => parseTemplate(text, `The chat template in ${file} of ${folder.name}`);
  if (folder.paths.includes(templateFile)) {
    const own = parse(await readText(folder, templateFile, maxConfigBytes), templateFile);
    return { plain: own, withTools: own };
  }
  const given = config["chat_template"];
  if (given === undefined || given === null) return null;
  const parsed = z.safeParse(templateSchema, given);
  if (!parsed.success) {
    throw new TokenizerError(
      `${configFile} of ${folder.name} has a chat_template that is neither a text nor a list of named texts.`,
    );
  }
  const list = typeof parsed.data === "string" ? [{ name: "default", template: parsed.data }] : parsed.data;
  const named = (wanted: string) => list.find(({ name }) => name === wanted)?.template;
  const text = named("default");
  if (text === undefined) return null;
  const plain = parse(text, configFile);
  const toolUse = named("tool_use");
  return { plain, withTools: toolUse === undefined ? plain : parse(toolUse, configFile) };
}

/** The library's own `strftime_now` writes the months in the browser's language, where Python writes English. */
const preamble = "{% set strftime_now = english_now %}\n";

/** `what` begins the sentence of a refusal. */
function parseTemplate(text: string, what: string): Template {
  try {
    return new Template(preamble + text);
  } catch (error) {
    throw new TokenizerError(`${what} cannot be parsed (${reasonOf(error)}).`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, "");
}
