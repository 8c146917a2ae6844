/** How the weights are held on the GPU: as in the file, or quantized on load; each with the memory that training takes. */
import { Radio, Text } from "@mantine/core";
import type { Quantization, WeightChoice } from "../../../worker/protocol";
import { chooseQuantization } from "../../actions/choose-model";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";
import { FitNote } from "./fit-note";

const text = strings.model.choice;
const asItIs = "as-it-is";

export function ModelWeights({ disabled }: { readonly disabled: boolean }) {
  const desk = useDesk();
  const outline = useStudio("picker", (state) => state.outline);
  const busy = useStudio("picker", (state) => state.outlining.state === "busy");
  const quantization = useStudio("picker", (state) => state.quantization);
  if (outline === null) {
    return (
      <Text size="sm" c="dimmed" role="status" className="weights-place">
        {text.reckoning}
      </Text>
    );
  }
  const chosen = outline.choices.find((choice) => choice.quantization === quantization);
  const choose = (value: string): void => {
    const picked = outline.choices.find((choice) => keyOf(choice.quantization) === value);
    if (picked !== undefined) chooseQuantization(desk, picked.quantization);
  };
  return (
    <div aria-busy={busy} className={busy ? "faded" : undefined}>
      <Radio.Group
        label={text.weights}
        description={outline.exact ? undefined : text.estimated}
        value={keyOf(quantization)}
        onChange={choose}
      >
        <div className="options">
          {outline.choices.map((choice) => (
            <Radio
              key={keyOf(choice.quantization)}
              value={keyOf(choice.quantization)}
              size="sm"
              disabled={disabled}
              label={<ChoiceLabel choice={choice} />}
              description={<FitNote fit={choice.fit} />}
            />
          ))}
        </div>
      </Radio.Group>
      {chosen !== undefined && (
        <Text size="xs" c="dimmed" mt={6} className="numbers">
          {chosen.description}
          {chosen.memory !== null && <> {text.parts(chosen.memory)}</>}
        </Text>
      )}
    </div>
  );
}

const keyOf = (quantization: Quantization | null): string => quantization ?? asItIs;

function ChoiceLabel({ choice: { label, weightBytes } }: { readonly choice: WeightChoice }) {
  return (
    <span className="option-label">
      <span>{label}</span>
      <Text span size="xs" c="dimmed" className="numbers">
        {text.toHold(weightBytes)}
      </Text>
    </span>
  );
}
