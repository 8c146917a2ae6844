/** The small tokenizer of tests/golden/data-shapes.json (400 byte-level BPE tokens), with one of its chat templates or none. Node only. */
import { readFileSync } from "node:fs";
import type { Message, Tokenizer } from "../../src/data/tokenizer";
import type { Conversation, RowOrigin } from "../../src/data/types";
import { filesFolder } from "../../src/model/folder";
import { loadTokenizer } from "../../src/model/tokenizer";

export interface ShapesGolden {
  readonly templates: Readonly<Record<string, string>>;
  readonly specialTokens: Readonly<Record<string, string>>;
  readonly postProcessor: unknown;
  readonly cases: readonly {
    readonly template: string | null;
    readonly bos: boolean;
    readonly maxLength: number;
    readonly row: Readonly<Record<string, unknown>>;
    /** Null where TRL drops the row: truncation has left no label. */
    readonly ids: readonly number[] | null;
    readonly labels: readonly number[] | null;
  }[];
}

export const shapesGolden: ShapesGolden = JSON.parse(readGolden("data-shapes.json"));

/**
 * `template` is a name in the golden file or a template's text; `bos` makes the post-processor put BOS in front; `markers` become
 * special tokens beside the tokenizer's own.
 */
export function goldenTokenizer(
  template: string | null,
  bos = false,
  markers: readonly string[] = [],
): Promise<Tokenizer> {
  const tokenizer: { readonly added_tokens: readonly object[] } = JSON.parse(readGolden("data-tokenizer.json"));
  const added = markers.map((content, index) => ({ id: 400 + index, content, special: true, normalized: false }));
  const json = {
    ...tokenizer,
    added_tokens: [...tokenizer.added_tokens, ...added],
    ...(bos && { post_processor: shapesGolden.postProcessor }),
  };
  const config = {
    ...shapesGolden.specialTokens,
    ...(template === null ? {} : { chat_template: shapesGolden.templates[template] ?? template }),
  };
  return loadTokenizer(
    filesFolder("golden", [
      { path: "config.json", blob: new Blob(["{}"]) },
      { path: "tokenizer.json", blob: new Blob([JSON.stringify(json)]) },
      { path: "tokenizer_config.json", blob: new Blob([JSON.stringify(config)]) },
    ]),
  );
}

export function chat(messages: readonly Message[], trainFrom = 0): Conversation {
  return { kind: "messages", origin: anywhere, messages, trainFrom };
}

export const anywhere: RowOrigin = { file: "rows.jsonl", line: 7 };

function readGolden(name: string): string {
  return readFileSync(new URL(`../golden/${name}`, import.meta.url), "utf8");
}
