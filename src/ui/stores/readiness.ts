/** What the main button says: ready, or the first thing that is missing. */
import { strings } from "../strings";
import type { States } from "./index";
import { type Field, fieldOrder } from "./recipe";

export type Readiness =
  | { readonly kind: "ready"; readonly label: string }
  | { readonly kind: "fix"; readonly label: string; readonly field: Field }
  | { readonly kind: "waiting" | "blocked"; readonly label: string };

const text = strings.train.main;

export function readiness({
  device,
  model,
  data,
  recipe,
  trial,
}: Pick<States, "device" | "model" | "data" | "recipe" | "trial">): Readiness {
  if (!device.secureContext || !device.hasWebGpu || device.lost !== null || device.device.state === "failed") {
    return { kind: "blocked", label: text.noGpu };
  }
  if (device.device.state !== "ready") return { kind: "waiting", label: text.probing };
  if (model.model.state === "failed") return { kind: "blocked", label: text.model };
  if (model.model.state !== "ready") return { kind: "waiting", label: text.opening };
  const wrong = fieldOrder.find((field) => recipe.errors[field] !== undefined);
  if (wrong !== undefined) return { kind: "fix", label: text.fix(strings.fields[wrong].label), field: wrong };
  if (data.name === null || data.info.state === "failed") return { kind: "blocked", label: text.data };
  if (data.shown === null) return { kind: "waiting", label: text.reading };
  if (trial.running) return { kind: "waiting", label: text.answering };
  if (model.selfCheck.state === "busy") return { kind: "waiting", label: text.checking };
  return { kind: "ready", label: data.isSample ? text.sample : text.own };
}
