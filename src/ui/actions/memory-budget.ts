/** The user says how much GPU memory a run may take. */
import { gigabytes, rememberBudget } from "../memory-budget";
import { strings } from "../strings";
import type { Desk } from "./desk";

export function setBudget({ stores }: Desk, text: string): void {
  const bytes = gigabytes(text);
  stores.picker.setState(({ budget }) => ({
    budget:
      bytes === null ? { ...budget, text, error: strings.model.budget.wrong(text) } : { text, bytes, error: null },
  }));
  if (bytes !== null) rememberBudget(text);
}
