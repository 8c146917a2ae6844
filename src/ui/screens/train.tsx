/** Training: the settings before a run, the run while it lasts, its result after. */
import { Stack, Title } from "@mantine/core";
import { useEffect, useRef } from "react";
import { train } from "../actions/train";
import { ErrorNote } from "../components/error-note";
import { stopId } from "../components/frame/dock";
import { RunQuestions } from "../components/run/questions";
import { Section } from "../components/section";
import { focusField } from "../components/settings/fields";
import { isRunning } from "../stores/training";
import { strings } from "../strings";
import { useDesk, useStudio } from "../studio";
import { Run, statusId } from "./run";
import { Settings } from "./settings";

const text = strings.train;
const sectionId = "train";

export function TrainScreen() {
  const phase = useStudio("training", (state) => state.phase);
  const running = useStudio("training", isRunning);
  useFollow(running);
  useField();
  return (
    <Section id={sectionId} title={text.title}>
      <Stack gap="md">
        {phase !== "idle" && <Run />}
        {phase !== "idle" && !running && (
          <Title order={3} size="h5">
            {text.nextRun}
          </Title>
        )}
        {!running && <Settings />}
        {!running && <RunQuestions />}
        {!running && <Refusal />}
      </Stack>
    </Section>
  );
}

/**
 * At a run's start and end the section comes into view and the focus goes on to what matters next, for the button that
 * had it is gone. Whoever is at work in another section is left there.
 */
function useFollow(running: boolean): void {
  const before = useRef(running);
  useEffect(() => {
    if (before.current === running) return;
    before.current = running;
    const section = document.getElementById(sectionId);
    const active = document.activeElement;
    if (section === null || (active !== null && active !== document.body && !section.contains(active))) return;
    const { top } = section.getBoundingClientRect();
    if (top < 0 || top >= window.innerHeight) {
      const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      section.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
    }
    document.getElementById(running ? stopId : statusId)?.focus({ preventScroll: true });
  }, [running]);
}

/** Whoever came to mend a setting begins in its field. */
function useField(): void {
  const { route } = useDesk().stores;
  const field = useStudio("route", (state) => state.field);
  useEffect(() => {
    if (field === null) return;
    focusField(field);
    route.setState({ field: null });
  }, [field, route]);
}

/** Why the last start was refused; the run before it still stands above. */
function Refusal() {
  const desk = useDesk();
  const refused = useStudio("training", (state) => state.refused);
  if (refused === null) return null;
  return <ErrorNote error={refused} action={{ label: text.again, run: () => void train(desk) }} />;
}
