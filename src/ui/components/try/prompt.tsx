/** What is asked: the prompt, prompts of one's own data at hand, and whether it goes through the chat template. */
import { SegmentedControl, Text, Textarea } from "@mantine/core";
import { useRef } from "react";
import { generateBoth } from "../../actions/trial";
import { firstQuestions } from "../../stores/live";
import { chatSides } from "../../stores/trial";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";

const text = strings.trial;

export function TryPrompt() {
  const desk = useDesk();
  const { trial } = desk.stores;
  const prompt = useStudio("trial", (state) => state.prompt);
  const shown = useStudio("data", (state) => state.shown);
  const field = useRef<HTMLTextAreaElement>(null);
  const examples = firstQuestions(shown?.preview ?? []);
  return (
    <>
      <Textarea
        ref={field}
        label={text.prompt}
        value={prompt}
        onChange={(event) => trial.setState({ prompt: event.currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void generateBoth(desk);
        }}
        autosize
        minRows={3}
        maxRows={10}
      />
      {examples.length > 0 && (
        <fieldset className="try-examples" aria-label={text.examples}>
          <Text size="xs" c="dimmed" aria-hidden>
            {text.examples}
          </Text>
          {examples.map((example) => (
            <button
              key={example}
              type="button"
              className="try-example"
              title={example}
              onClick={() => {
                trial.setState({ prompt: example });
                field.current?.focus();
              }}
            >
              {example}
            </button>
          ))}
        </fieldset>
      )}
      <Mode />
    </>
  );
}

function Mode() {
  const { trial } = useDesk().stores;
  const asChat = useStudio("trial", (state) => state.asChat);
  const model = useStudio("model", (state) => state.model);
  const run = useStudio("library", ({ runs, selected }) => runs.find(({ id }) => id === selected));
  const chats = chatSides(model, run);
  if (!chats.base && !chats.tuned) return null;
  return (
    <>
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
      {asChat && chats.tuned && !chats.base && (
        <Text size="xs" c="dimmed">
          {text.baseAsText}
        </Text>
      )}
    </>
  );
}
