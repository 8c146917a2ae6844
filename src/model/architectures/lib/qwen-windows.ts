/** Qwen 2 and 3: a window only where `use_sliding_window` is set, and then in the layers from `max_window_layers` on. */
import type { ConfigFields } from "../../config/fields";
import { readWindows, type Windows } from "../../config/model-config";

export function qwenWindows(fields: ConfigFields, numLayers: number): Windows {
  const window = fields.flag("use_sliding_window") ? fields.int("sliding_window", 1, 2 ** 28, 4096) : null;
  const first = fields.int("max_window_layers", 0, 1000, 28);
  return readWindows(fields, numLayers, window, (layer) => layer >= first);
}
