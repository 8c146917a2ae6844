/** How long an answer may be and how its tokens are drawn: folded, with what is set in one line. */
import { Button, NativeSelect, Text, TextInput } from "@mantine/core";
import { type Ref, useRef } from "react";
import { readSampling, samplingDefaults } from "../../stores/sampling";
import { type SamplingField, samplingFields } from "../../stores/sampling-fields";
import { answerLengths } from "../../stores/trial";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";
import { useTold } from "../settings/fields";

const text = strings.trial.sampling;

export function TrySampling() {
  const { trial } = useDesk().stores;
  const typed = useStudio("trial", (state) => state.sampling);
  const maxNewTokens = useStudio("trial", (state) => state.maxNewTokens);
  const { sampling, errors } = readSampling(typed);
  const changed = samplingFields.some((field) => typed[field].trim() !== samplingDefaults[field]);
  const temperature = useRef<HTMLInputElement>(null);
  return (
    <>
      <NativeSelect
        label={strings.trial.length}
        value={String(maxNewTokens)}
        onChange={(event) => trial.setState({ maxNewTokens: Number(event.currentTarget.value) })}
        data={answerLengths.map((tokens) => ({ value: String(tokens), label: strings.model.tokens(tokens) }))}
      />
      <details className="advanced">
        <summary>
          <span>{text.title}</span>
          <Text span size="xs" className={`summary-line numbers ${sampling === null ? "warning" : "faint"}`}>
            {sampling === null ? text.wrongNote : text.told(sampling)}
          </Text>
        </summary>
        <div className="try-fields">
          {samplingFields.map((field) => (
            <SamplingNumber
              key={field}
              field={field}
              error={errors[field]}
              inputRef={field === "temperature" ? temperature : null}
            />
          ))}
        </div>
        <div className="try-foot">
          {sampling?.temperature === 0 && (
            <Text size="xs" c="dimmed">
              {text.greedyNote}
            </Text>
          )}
          {changed && (
            <Button
              size="compact-xs"
              variant="default"
              className="start"
              onClick={() => {
                // The button goes with this click.
                temperature.current?.focus();
                trial.setState({ sampling: samplingDefaults });
              }}
            >
              {text.reset}
            </Button>
          )}
        </div>
      </details>
    </>
  );
}

interface Props {
  readonly field: SamplingField;
  readonly error: string | undefined;
  readonly inputRef: Ref<HTMLInputElement>;
}

function SamplingNumber({ field, error, inputRef }: Props) {
  const { trial } = useDesk().stores;
  const value = useStudio("trial", (state) => state.sampling[field]);
  const told = useTold(error, value);
  return (
    <TextInput
      ref={inputRef}
      label={text.fields[field].label}
      description={text.fields[field].hint}
      value={value}
      error={told.error}
      onBlur={told.onBlur}
      onChange={(event) => {
        const next = event.currentTarget.value;
        trial.setState((state) => ({ sampling: { ...state.sampling, [field]: next } }));
      }}
      inputMode="decimal"
      autoComplete="off"
      spellCheck={false}
      className="numbers"
    />
  );
}
