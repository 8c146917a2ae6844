/** What the main button says: ready, or the first thing that is missing. */
import { needsMapping } from "../mapping";
import { strings } from "../strings";
import type { States } from "./index";
import { distrust } from "./model";
import { type Field, fieldOrder } from "./recipe";

export type Readiness =
  | { readonly kind: "ready"; readonly label: string }
  | { readonly kind: "fix"; readonly label: string; readonly field: Field }
  | {
      readonly kind: "waiting" | "blocked";
      readonly label: string;
      /** A sentence that says more; null where the label says all. */
      readonly reason: string | null;
      /** The section where that is seen. */
      readonly where: "data" | "model";
    };

const text = strings.train.main;

const blocked = (label: string, reason: string | null = null, where: "data" | "model" = "data"): Readiness => ({
  kind: "blocked",
  label,
  reason,
  where,
});
const waiting = (label: string): Readiness => ({ kind: "waiting", label, reason: null, where: "data" });

export function readiness({
  device,
  model,
  data,
  recipe,
  trial,
  rowLosses,
}: Pick<States, "device" | "model" | "data" | "recipe" | "trial" | "rowLosses">): Readiness {
  if (!device.secureContext || !device.hasWebGpu || device.lost !== null || device.device.state === "failed") {
    return blocked(text.noGpu);
  }
  if (device.device.state !== "ready") return waiting(text.probing);
  if (model.model.state === "failed") return blocked(text.model);
  if (model.model.state !== "ready") return waiting(text.opening);
  const doubt = distrust(model);
  if (doubt !== null) return blocked(text.untrusted, doubt, "model");
  const wrong = fieldOrder.find((field) => recipe.errors[field] !== undefined);
  if (wrong !== undefined) return { kind: "fix", label: text.fix(strings.fields[wrong].label), field: wrong };
  if (data.name === null) return blocked(text.data);
  if (data.info.state === "failed") return blocked(data.shown === null ? text.data : text.fixData);
  if (data.stopped) return blocked(text.unread);
  if (data.shown === null) return waiting(text.reading);
  if (needsMapping(data.shown, data.shownOptions.mapping)) return blocked(text.fixData, strings.data.unmapped);
  if (data.shown.refusal !== null) return blocked(text.fixData, data.shown.refusal);
  // What is shown belongs to the look before: its max length may not be the one that this look ends with.
  if (data.info.state === "busy") return waiting(text.reading);
  if (trial.running) return waiting(text.answering);
  if (rowLosses.phase === "measuring") return waiting(text.measuring);
  if (model.selfCheck.state === "busy") return waiting(text.checking);
  return { kind: "ready", label: data.sample !== null ? text.sample : text.own };
}
