/** Every built-in chat template of this folder, and a tokenizer with the one that was chosen. */
import { DataError } from "../errors";
import type { TemplateChoice } from "../options";
import type { Tokenizer } from "../tokenizer";
import type { ChatTemplate } from "./types";

const modules = import.meta.glob<ChatTemplate>(["./*.ts", "!./index.ts", "!./types.ts"], {
  eager: true,
  import: "template",
});

/** By label. */
export const chatTemplates: readonly ChatTemplate[] = Object.values(modules).sort((a, b) =>
  a.label < b.label ? -1 : 1,
);

/** Texts in an own template that look like markers of turns. */
const markerLike = /<\|[^\s<>{}'"]+\|>|<\w+_of_\w+>/g;
const place = "chat template";

/** Throws `DataError` (kind "template") where the choice is unknown or its text cannot be parsed. */
export function withChosenTemplate(tokenizer: Tokenizer, choice: TemplateChoice): Tokenizer {
  const jinja = chosenJinja(tokenizer, choice);
  if (jinja === null) return tokenizer;
  try {
    return tokenizer.withTemplate(jinja);
  } catch (cause) {
    if (!(cause instanceof Error) || cause.name !== "TokenizerError") throw cause;
    const problem = cause.message.replace(/[.\s]+$/, "");
    const remedy = "correct its Jinja text or choose another template";
    throw new DataError({ kind: "template", file: place, problem, remedy }, { cause });
  }
}

/** The text to write beside an exported model; null: the model keeps its own. Throws as `withChosenTemplate`. */
export function chosenJinja(tokenizer: Tokenizer, choice: TemplateChoice): string | null {
  if (choice.kind === "model") return null;
  if (choice.kind === "named") {
    const { jinja } = named(choice.id);
    return beginsWithBos(tokenizer) ? `{{- bos_token }}${jinja}` : jinja;
  }
  if (choice.jinja.trim() === "") {
    const problem = "the own template is empty";
    throw new DataError({ kind: "template", file: place, problem, remedy: "write its Jinja text or choose another" });
  }
  return choice.jinja;
}

/** One sentence where markers of the chosen template are no single tokens of this tokenizer; null where all is well. */
export function markerWarning(tokenizer: Tokenizer, choice: TemplateChoice): string | null {
  if (choice.kind === "model") return null;
  const markers = choice.kind === "named" ? named(choice.id).markers : (choice.jinja.match(markerLike) ?? []);
  const split = [...new Set(markers)].filter(
    (marker) => tokenizer.encode(marker, { addSpecialTokens: false }).length !== 1,
  );
  if (split.length === 0) return null;
  const [are, it] = split.length === 1 ? ["is no single token", "it"] : ["are no single tokens", "them"];
  return `${split.join(", ")} ${are} of this model, which never saw ${it}; choose a template without such markers, for example Zephyr or Alpaca.`;
}

function named(id: string): ChatTemplate {
  const found = chatTemplates.find((template) => template.id === id);
  if (found) return found;
  const known = chatTemplates.map((template) => template.id).join(", ");
  throw new DataError({
    kind: "template",
    file: place,
    problem: `there is no template named "${id}"`,
    remedy: `choose one of ${known}`,
  });
}

function beginsWithBos(tokenizer: Tokenizer): boolean {
  const [first] = tokenizer.encode("a", { addSpecialTokens: true });
  const [plain] = tokenizer.encode("a", { addSpecialTokens: false });
  return tokenizer.bosTokenId !== null && first === tokenizer.bosTokenId && plain !== first;
}
