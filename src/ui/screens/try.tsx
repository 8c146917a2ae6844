/** One prompt, two answers: the base model's and the tuned one's. */
import { Button, Group, NativeSelect, SegmentedControl, Slider, Text, Textarea, TextInput } from "@mantine/core";
import { Sparkles, Square } from "lucide-react";
import { useId, useState } from "react";
import { generateBoth, stopGenerating } from "../actions/trial";
import { ErrorNote } from "../components/error-note";
import { Section } from "../components/section";
import { type Answer, chatSides } from "../stores/trial";
import { strings } from "../strings";
import { useDesk, useGpuUser, useStudio } from "../studio";

const text = strings.trial;

export function TryScreen() {
  const desk = useDesk();
  const { trial } = desk.stores;
  const { prompt, running, base, tuned, tunedBy, error } = useStudio("trial", (state) => state);
  const { runs, selected } = useStudio("library", (state) => state);
  const modelReady = useStudio("model", (state) => state.model.state === "ready");
  const taken = useGpuUser() !== null;
  const name = runs.find(({ id }) => id === selected)?.name;
  if (runs.length === 0) {
    return (
      <Section id="try" title={text.title}>
        <Text size="sm" c="dimmed">
          {text.empty}
        </Text>
      </Section>
    );
  }
  return (
    <Section id="try" title={text.title}>
      <div className="try">
        <div className="try-controls">
          <Textarea
            label={text.prompt}
            value={prompt}
            onChange={(event) => trial.setState({ prompt: event.currentTarget.value })}
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void generateBoth(desk);
            }}
            autosize
            minRows={2}
            maxRows={8}
          />
          <Controls />
          {running ? (
            <Button
              color="red"
              onClick={() => stopGenerating(desk)}
              leftSection={<Square size={16} aria-hidden />}
              className="start"
            >
              {text.stop}
            </Button>
          ) : (
            <Button
              onClick={() => void generateBoth(desk)}
              disabled={!modelReady || taken || prompt.trim() === ""}
              leftSection={<Sparkles size={16} aria-hidden />}
              className="start"
            >
              {selected === null ? text.generateBase : text.generate}
            </Button>
          )}
        </div>
        <div className="answers">
          <AnswerBox title={text.base} answer={base} />
          {selected === null ? (
            <Text size="sm" className="answer warning">
              {text.noneFits}
            </Text>
          ) : (
            <AnswerBox title={text.tunedAs(tunedBy ?? name ?? "")} answer={tuned} />
          )}
        </div>
        {error !== null && (
          <ErrorNote error={error} action={{ label: strings.errors.retry, run: () => void generateBoth(desk) }} />
        )}
      </div>
    </Section>
  );
}

function Controls() {
  const { trial } = useDesk().stores;
  const { asChat, strength, maxNewTokens, temperature } = useStudio("trial", (state) => state);
  const model = useStudio("model", (state) => state.model);
  const run = useStudio("library", ({ runs, selected }) => runs.find(({ id }) => id === selected));
  const chats = chatSides(model, run);
  const [typed, setTyped] = useState(String(temperature));
  const value = Number(typed);
  const wrong = typed.trim() === "" || !Number.isFinite(value) || value < 0 || value > 10;
  return (
    <>
      {(chats.base || chats.tuned) && (
        <SegmentedControl
          size="xs"
          aria-label={text.mode}
          value={asChat ? "chat" : "text"}
          onChange={(mode) => trial.setState({ asChat: mode === "chat" })}
          data={[
            { value: "chat", label: text.chat },
            { value: "text", label: text.text },
          ]}
          className="start"
        />
      )}
      {asChat && chats.tuned && !chats.base && (
        <Text size="xs" c="dimmed">
          {text.baseAsText}
        </Text>
      )}
      <div className="try-row">
        <div>
          <Group justify="space-between">
            <Text size="sm" fw={600}>
              {text.strength}
            </Text>
            <Text size="sm" className="numbers">
              {strength.toFixed(2)}
            </Text>
          </Group>
          <Text size="xs" c="dimmed">
            {text.strengthHint}
          </Text>
          <Slider
            min={0}
            max={1.5}
            step={0.05}
            value={strength}
            onChange={(next) => trial.setState({ strength: next })}
            label={null}
            thumbLabel={text.strength}
            marks={[{ value: 0, label: "0" }, { value: 0.5 }, { value: 1, label: "1" }, { value: 1.5, label: "1.5" }]}
            mb="lg"
            mt={6}
            mx={6}
          />
        </div>
        <Group gap="sm" grow align="flex-start">
          <NativeSelect
            label={text.length}
            value={String(maxNewTokens)}
            onChange={(event) => trial.setState({ maxNewTokens: Number(event.currentTarget.value) })}
            data={["16", "32", "64", "128", "256"].map((tokens) => ({
              value: tokens,
              label: strings.model.tokens(Number(tokens)),
            }))}
          />
          <TextInput
            label={text.temperature}
            value={typed}
            inputMode="decimal"
            error={wrong ? text.temperatureWrong : undefined}
            onChange={(event) => {
              const next = event.currentTarget.value;
              setTyped(next);
              const number = Number(next);
              if (next.trim() !== "" && number >= 0 && number <= 10) trial.setState({ temperature: number });
            }}
            className="numbers"
          />
        </Group>
      </div>
    </>
  );
}

function AnswerBox({ title, answer }: { readonly title: string; readonly answer: Answer }) {
  const heading = useId();
  const { state, summary } = answer;
  return (
    <section className="answer" aria-labelledby={heading} aria-busy={state === "waiting" || state === "writing"}>
      <Text component="h3" size="sm" fw={600} id={heading} className="wrap">
        {title}
      </Text>
      <p className="answer-text" aria-live="polite">
        {state === "empty" && <span className="faint">{text.waiting}</span>}
        {state === "waiting" && <span className="faint">{text.writing}</span>}
        {answer.text}
        {state === "writing" && <span className="caret" aria-hidden />}
      </p>
      {summary !== null && (
        <Text size="xs" c="dimmed" className="numbers">
          {[
            text.speed(summary.tokens, summary.milliseconds > 0 ? (1000 * summary.tokens) / summary.milliseconds : 0),
            ...(summary.stopped === "length" ? [text.cut] : summary.stopped === "aborted" ? [text.aborted] : []),
          ].join(" · ")}
        </Text>
      )}
    </section>
  );
}
