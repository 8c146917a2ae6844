/** ShareGPT's chat rows: {"conversations": [{"from": "human", "value"}, …]}. */
import { chatRow } from "./lib/chat";
import type { RowShape } from "./types";

export const shape: RowShape = {
  id: "conversations",
  label: "Conversations (ShareGPT)",
  rank: 20,
  fields: [
    { name: "conversations", label: "Conversation", required: true, aliases: ["conversation"] },
    { name: "system", label: "System prompt", required: false, aliases: ["system_prompt", "system_message"] },
    { name: "tools", label: "Tools", required: false, aliases: ["functions"] },
  ],
  convert: (row, origin) => chatRow(row, "conversations", origin),
};
