/** Training: the settings before a run, the run while it lasts, its result after. */
import { Anchor, Button, Stack, Text, Title } from "@mantine/core";
import { Play, Square, Wrench } from "lucide-react";
import { useEffect, useRef } from "react";
import { stopTraining, train } from "../actions/train";
import { ErrorNote } from "../components/error-note";
import { focusField } from "../components/fields";
import { RunQuestions } from "../components/run-questions";
import { Section } from "../components/section";
import { SettingsFromLink } from "../components/settings-share";
import { useSpeed } from "../components/settings-takes";
import { readiness } from "../stores/readiness";
import { isRunning } from "../stores/training";
import { strings } from "../strings";
import { useDesk, useStudio } from "../studio";
import { Run, statusId } from "./run";
import { Settings } from "./settings";

const text = strings.train;
const sectionId = "train";
const stopId = "run-stop";
const stopKeepsId = "run-stop-keeps";
const reasonId = "run-reason";

export function TrainScreen() {
  const phase = useStudio("training", (state) => state.phase);
  const running = useStudio("training", isRunning);
  useFollow(running);
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
        <SettingsFromLink />
        {!running && <RunQuestions />}
        {!running && <Refusal />}
        <RunBar />
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

/** Why the last start was refused; the run before it still stands above. */
function Refusal() {
  const desk = useDesk();
  const refused = useStudio("training", (state) => state.refused);
  if (refused === null) return null;
  return <ErrorNote error={refused} action={{ label: text.again, run: () => void train(desk) }} />;
}

/** Below this many steps an adapter has hardly moved. */
const fewSteps = 10;

/** The one main button, with what pressing it means beside it. */
function RunBar() {
  const desk = useDesk();
  const phase = useStudio("training", (state) => state.phase);
  const running = useStudio("training", isRunning);
  if (running) {
    const stopping = phase === "stopping";
    return (
      <div className="run-bar floating">
        <Text size="sm" c="dimmed" className="consequence" id={stopKeepsId}>
          {strings.run.stopKeeps}
        </Text>
        <Button
          id={stopId}
          aria-describedby={stopKeepsId}
          color="red"
          size="md"
          disabled={stopping}
          onClick={() => stopTraining(desk)}
          leftSection={<Square size={16} aria-hidden />}
          className="main-button"
        >
          {stopping ? text.main.stopping : text.main.stop}
        </Button>
      </div>
    );
  }
  return <StartBar floating={phase === "idle"} />;
}

function StartBar({ floating }: { readonly floating: boolean }) {
  const desk = useDesk();
  const device = useStudio("device", (state) => state);
  const model = useStudio("model", (state) => state);
  const data = useStudio("data", (state) => state);
  const recipe = useStudio("recipe", (state) => state);
  const trial = useStudio("trial", (state) => state);
  const ready = readiness({ device, model, data, recipe, trial });
  const { speed, current } = useSpeed();
  const steps = data.shown?.steps ?? 0;
  // While a new look is waited for, what the one before it said stays, so that nothing moves.
  const told = data.shown !== null && (ready.kind === "ready" || ready.kind === "waiting");
  return (
    <>
      {told && steps < fewSteps && recipe.recipe !== null && (
        <Text size="sm" className="warning">
          {text.few[recipe.recipe.steps !== null ? "steps" : recipe.recipe.pack ? "packed" : "unpacked"]}
        </Text>
      )}
      {ready.kind === "blocked" && ready.reason !== null && (
        <Text size="sm" className="warning wrap" id={reasonId}>
          {ready.reason}{" "}
          <Anchor href={`#${ready.where}`} inherit underline="always">
            {strings[ready.where].see}
          </Anchor>
        </Text>
      )}
      <div className={floating ? "run-bar floating" : "run-bar"}>
        {told && (
          <Text size="sm" c="dimmed" className="numbers consequence">
            {text.consequence(steps, data.shown?.tokens ?? 0)}
            {recipe.plan !== null && ` · ${text.memory(recipe.plan.total)}`}
            {current && speed !== null && ` · ${strings.settings.takes.about(steps * speed.millisecondsPerStep)}`}
          </Text>
        )}
        <Button
          size="md"
          disabled={ready.kind === "blocked" || ready.kind === "waiting"}
          onClick={() => (ready.kind === "fix" ? focusField(ready.field) : void train(desk))}
          leftSection={ready.kind === "fix" ? <Wrench size={16} aria-hidden /> : <Play size={16} aria-hidden />}
          className="main-button"
          aria-describedby={ready.kind === "blocked" && ready.reason !== null ? reasonId : undefined}
          data-main
        >
          {ready.label}
        </Button>
      </div>
    </>
  );
}
