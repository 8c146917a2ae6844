/** Plain documents: {"text"}. */
import type { Conversation, RowOrigin } from "../types";
import { blank, needText } from "./lib/fields";
import { noLabel } from "./text-label";
import type { Row, RowShape } from "./types";

export const shape: RowShape = {
  id: "text",
  label: "Text",
  rank: 80,
  fields: [
    {
      name: "text",
      label: "Text",
      required: true,
      aliases: ["content", "body", "document", "article", "story", "passage", "paragraph", "code", "markdown"],
    },
  ],
  convert,
};

function convert(row: Row, origin: RowOrigin): Conversation {
  // Rows with a label are read as text and label; the ones that lack it must not become documents among them.
  if (Object.hasOwn(row, "label") && blank(row["label"])) throw noLabel(origin);
  const text = needText(row["text"], "text", origin);
  const continues = row["continues"] === true ? { continues: true } : {};
  const continued = row["continued"] === true ? { continued: true } : {};
  return { kind: "text", origin, text, ...continues, ...continued };
}
