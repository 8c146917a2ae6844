/** A run's settings as a person reads them, and in what two runs differ. */
import type { RunSummary } from "../../worker/protocol";
import { strings } from "../strings";
import { fieldOrder } from "./recipe-form";

export interface Setting {
  readonly key: string;
  readonly label: string;
  /** The run's value, in words. */
  readonly value: (run: RunSummary) => string;
}

const text = strings.library;
const number = (value: number): string => String(Number(value.toPrecision(12)));

function recipeValue({ recipe }: RunSummary, field: (typeof fieldOrder)[number]): string {
  const value = recipe[field];
  if (field === "schedule") return strings.schedules[recipe.schedule].toLowerCase();
  if (field === "steps" && recipe.steps === null) return text.byEpochs;
  if (field === "epochs" && recipe.steps !== null) return text.bySteps;
  if (value === "all-linear") return text.allLayers;
  if (typeof value === "boolean") return value ? strings.train.flag.on : strings.train.flag.off;
  if (typeof value === "number") return number(value);
  return Array.isArray(value) ? value.join(", ") : String(value ?? "");
}

/** An adapter from elsewhere has a shape and nothing else that is known. */
const shape: ReadonlySet<string> = new Set(["rank", "alpha", "rslora", "targetModules"]);
export const wasTrained = ({ steps }: RunSummary): boolean => steps > 0;

const settings: readonly Setting[] = [
  { key: "model", label: text.settings.model, value: (run) => run.model },
  { key: "dataset", label: text.settings.dataset, value: (run) => run.dataset || text.unknown },
  {
    key: "template",
    label: text.settings.template,
    value: ({ dataOptions }) =>
      dataOptions === undefined
        ? text.unknown
        : dataOptions.template.kind === "named"
          ? dataOptions.template.id
          : text.templates[dataOptions.template.kind],
  },
  {
    key: "lossOn",
    label: text.settings.lossOn,
    value: ({ dataOptions }) => (dataOptions === undefined ? text.unknown : text.lossOn[dataOptions.lossOn]),
  },
  ...fieldOrder.map(
    (field): Setting => ({
      key: field,
      label: strings.fields[field].label,
      value: (run) => (wasTrained(run) || shape.has(field) ? recipeValue(run, field) : text.unknown),
    }),
  ),
];

/** Settings by whether all runs have the same. */
export function compareSettings(runs: readonly RunSummary[]): {
  readonly differing: readonly Setting[];
  readonly same: readonly Setting[];
} {
  const differs = ({ value }: Setting): boolean => new Set(runs.map(value)).size > 1;
  return { differing: settings.filter(differs), same: settings.filter((setting) => !differs(setting)) };
}

/** The newest of the runs that were trained before this one; an adapter from elsewhere has none and is none. */
export function runBefore(run: RunSummary, runs: readonly RunSummary[]): RunSummary | null {
  if (!wasTrained(run)) return null;
  const place = runs.findIndex(({ id }) => id === run.id);
  return runs.slice(place + 1).find(wasTrained) ?? null;
}

/** "learning rate 2.0e-4 → 1.0e-4", … : what `run` changed of `before`, where both are known. */
export function changesFrom(before: RunSummary, run: RunSummary): readonly string[] {
  return settings.flatMap(({ label, value }) => {
    const [old, now] = [value(before), value(run)];
    return old === now || old === text.unknown || now === text.unknown ? [] : [text.change(label, old, now)];
  });
}
