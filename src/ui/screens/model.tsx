/** The base model: what is open and whether its numbers are right, the ways to another one, and the one that was chosen. */
import { Button, Stack, Text, VisuallyHidden } from "@mantine/core";
import { useEffect, useRef } from "react";
import { openEmbeddedModel } from "../actions/model";
import { ErrorNote } from "../components/error-note";
import { ModelChoice } from "../components/model/choice";
import { KernelCheck, ModelFacts, phaseLabel, SelfCheck } from "../components/model/facts";
import { faultTitle } from "../components/model/hub";
import { ModelWays } from "../components/model/ways";
import { ProgressLine } from "../components/progress-line";
import { Section } from "../components/section";
import { strings } from "../strings";
import { openedSentence } from "../strings/model";
import { useDesk, useGpuUser, useStudio } from "../studio";

const text = strings.model;
const sectionId = "model";

export function ModelScreen() {
  const desk = useDesk();
  const { name, embedded, model } = useStudio("model", (state) => state);
  const choosing = useStudio("picker", (state) => state.choice !== null);
  const taken = useGpuUser() !== null;
  useFollow(choosing);
  return (
    <Section id={sectionId} title={text.title} aside={<Text className="section-name wrap">{name}</Text>}>
      <Stack gap="sm">
        <Present />
        {!embedded && model.state !== "failed" && (
          <Button
            variant="subtle"
            size="compact-sm"
            disabled={taken || model.state === "busy"}
            onClick={() => void openEmbeddedModel(desk)}
            className="start"
          >
            {text.embedded}
          </Button>
        )}
        <ModelWays />
        <ModelChoice />
      </Stack>
    </Section>
  );
}

/** The open model; while the weights of a chosen one come in, the one that it replaces. */
function Present() {
  const desk = useDesk();
  const { name, embedded, model, standing, reader } = useStudio("model", (state) => state);
  // The chosen model's panel tells how far it is.
  const opening = useStudio("picker", (state) => state.choice !== null && state.opening.state === "busy");
  const info = model.state === "ready" ? model.value : opening ? standing : null;
  return (
    <>
      {model.state === "busy" && !opening && (
        <ProgressLine
          label={model.progress === null ? text.opening(name) : phaseLabel(model.progress.phase)}
          progress={model.progress}
        />
      )}
      {model.state === "failed" && (
        <ErrorNote
          error={model.error}
          title={faultTitle(model.error.data["reason"])}
          action={{ label: embedded ? strings.errors.retry : text.embedded, run: () => void openEmbeddedModel(desk) }}
        />
      )}
      {info !== null && (
        <>
          <ModelFacts info={info} />
          {info.notes.map((note) => (
            <Text key={note} size="xs" className="wrap">
              {note}
            </Text>
          ))}
          <KernelCheck check={info.kernelCheck} />
          <SelfCheck canCheck={info.canSelfCheck} />
        </>
      )}
      {model.state === "idle" && reader.state === "ready" && <Text size="sm">{text.reads(name)}</Text>}
      <VisuallyHidden role="status">{model.state === "ready" && openedSentence(model.value)}</VisuallyHidden>
    </>
  );
}

/** When the chosen model is open, its panel is gone; who was at work in it goes on at the section's heading. */
function useFollow(choosing: boolean): void {
  const before = useRef(choosing);
  useEffect(() => {
    if (before.current === choosing) return;
    before.current = choosing;
    if (choosing || (document.activeElement !== null && document.activeElement !== document.body)) return;
    document.querySelector<HTMLElement>(`#${sectionId} h2`)?.focus();
  }, [choosing]);
}
