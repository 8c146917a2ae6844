/** YAML: conversations as the ChatterBot corpus has them, lists of rows, several documents. Its reader loads with the first such file. */
import type { SpooledFormat } from "./types";

export const format: SpooledFormat = {
  id: "yaml",
  label: "YAML",
  access: "spooled",
  match(head, name) {
    if (head.includes(0)) return 0;
    if (/\.ya?ml$/i.test(name)) return 0.9;
    const text = new TextDecoder().decode(head);
    // Comments, blank lines and the mark of a document's beginning may come before.
    const body = text.replace(/^(?:[ \t]*(?:#.*)?\r?\n|---[ \t]*\r?\n)*/, "");
    if (/^(?:categories|conversations):[ \t]*\r?\n[ \t]*- /.test(body)) return 0.6;
    if (/^- - \S/.test(body)) return 0.5;
    if (
      /^- (?:messages|conversations|prompt|instruction|question|role|from|text|input|system):(?:[ \t]|\r?\n)/.test(body)
    )
      return 0.5;
    return /^messages:[ \t]*\r?\n[ \t]*- (?:role|content):/.test(body) ? 0.5 : 0;
  },
  async *rows(blob, name, signal) {
    const { readYaml } = await import("./yaml/read");
    yield* readYaml(blob, name, signal);
  },
};
