/** How much GPU memory a run may take. */
import { TextInput } from "@mantine/core";
import { setBudget } from "../../actions/memory-budget";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";

const text = strings.model.budget;

export function MemoryBudget({ disabled = false }: { readonly disabled?: boolean }) {
  const desk = useDesk();
  const { text: value, error } = useStudio("picker", (state) => state.budget);
  return (
    <TextInput
      label={text.label}
      description={text.hint}
      value={value}
      error={error}
      disabled={disabled}
      onChange={(event) => setBudget(desk, event.currentTarget.value)}
      inputMode="decimal"
      autoComplete="off"
      className="numbers budget"
    />
  );
}
