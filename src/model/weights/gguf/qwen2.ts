/** Qwen 2 and 2.5 in GGUF. Rows are in the order of transformers. */
import type { GgufArchitecture } from "./architecture";
import { huggingFaceName, llamaNames } from "./names";
import { readRotary, rotaryConfig } from "./rotary";
import { llamaFields, readSizes, refuseWindow } from "./sizes";

const id = "qwen2";

export const qwen2: GgufArchitecture = {
  id,
  async config(header, tokens) {
    const sizes = readSizes(id, header, tokens);
    refuseWindow(id, header, sizes.positions);
    return {
      model_type: "qwen2",
      ...llamaFields(id, header, sizes),
      ...rotaryConfig(await readRotary(id, header, sizes, { partial: false })),
    };
  },

  place(name) {
    const found = huggingFaceName(llamaNames, name);
    return found === null ? null : { name: found };
  },
};
