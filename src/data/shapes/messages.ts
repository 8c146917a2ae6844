/** OpenAI's chat rows: {"messages": [{"role", "content"}, …]}, with tools and weights. */
import { chatRow } from "./lib/chat";
import type { RowShape } from "./types";

export const shape: RowShape = {
  id: "messages",
  label: "Chat messages (OpenAI)",
  rank: 10,
  fields: [
    { name: "messages", label: "Messages", required: true, aliases: ["chat", "dialog", "dialogue", "turns"] },
    { name: "system", label: "System prompt", required: false, aliases: ["system_prompt", "system_message"] },
    { name: "tools", label: "Tools", required: false, aliases: ["functions"] },
  ],
  convert: (row, origin) => chatRow(row, "messages", origin),
};
