/** Qwen 2 and 3: a window only where `use_sliding_window` is set, and then in the layers from `max_window_layers` on. */
import type { ConfigFields } from "../../config/fields";
import { readSliding, readWindow, type Windows } from "../../config/model-config";

export function qwenWindows(fields: ConfigFields, numLayers: number): Windows {
  const window = fields.flag("use_sliding_window") ? readWindow(fields, 4096) : null;
  const first = fields.int("max_window_layers", 0, 1000, 28);
  return readSliding(fields, numLayers, (layer) => layer >= first).map((sliding) => (sliding ? window : null));
}
