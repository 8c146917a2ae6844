/** Before a run: the questions that the model answers on the way. */
import { Button, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { everySteps, questionsShown } from "../../stores/live";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";

const text = strings.run.questions;

export function RunQuestions() {
  const { live } = useDesk().stores;
  const state = useStudio("live", (all) => all);
  const shown = useStudio("data", (data) => data.shown);
  const questions = questionsShown(state, { shown });
  const fromData = state.questions === null && questions.some((question) => question !== "");
  return (
    <details className="advanced">
      <summary>{text.title}</summary>
      <Stack gap="xs" mt={8}>
        <Text size="sm" c="dimmed">
          {text.hint} {fromData && text.fromData}
        </Text>
        {questions.map((question, index) => (
          <TextInput
            // biome-ignore lint/suspicious/noArrayIndexKey: the three fields are told apart by nothing but their place.
            key={index}
            label={text.label(index)}
            value={question}
            autoComplete="off"
            onChange={(event) => {
              const { value } = event.currentTarget;
              live.setState({ questions: questions.map((before, at) => (at === index ? value : before)) });
            }}
          />
        ))}
        <div className="run-questions-foot">
          <NativeSelect
            label={text.every}
            value={state.every ?? ""}
            onChange={(event) => {
              const { value } = event.currentTarget;
              live.setState({ every: everySteps.find((steps) => String(steps) === value) ?? null });
            }}
            data={[
              { value: "", label: text.quarters },
              ...everySteps.map((steps) => ({ value: String(steps), label: text.each(steps) })),
            ]}
          />
          <Button
            size="xs"
            variant="default"
            disabled={state.questions === null}
            onClick={() => live.setState({ questions: null })}
          >
            {text.reset}
          </Button>
        </div>
      </Stack>
    </details>
  );
}
