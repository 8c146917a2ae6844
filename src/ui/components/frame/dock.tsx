/** The bar at the foot: what pressing the main button means, and the button; during a run, how far it is and how to stop it. */
import { Anchor, Button, Text } from "@mantine/core";
import { ArrowRight, Square } from "lucide-react";
import { useEffect, useRef } from "react";
import { stopTraining } from "../../actions/train";
import { hashOf, type Step } from "../../stores/route";
import { isRunning, phaseName } from "../../stores/training";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";
import { useSpeed } from "../settings/takes";
import { MainButton, useReadiness } from "./main-button";

const text = strings.train;
const stopKeepsId = "run-stop-keeps";
const reasonId = "run-reason";
/** Below this many steps an adapter has hardly moved. */
const fewSteps = 10;
const nextStep: Readonly<Partial<Record<Step, Step>>> = { model: "data", data: "train" };

/** Takes the focus when a run begins, for the button that began it is gone. */
export const stopId = "run-stop";

export function Dock() {
  const step = useStudio("route", (state) => state.step);
  const running = useStudio("training", isRunning);
  useLostStop(running);
  if (running) return <RunBar away={step !== "train"} />;
  return step === "model" || step === "data" || step === "train" ? <StartBar step={step} /> : null;
}

/** When a run ends, Stop is gone: who had pressed it goes on at the main button, or at the heading of a step without one. Train sees to itself. */
function useLostStop(running: boolean): void {
  const step = useStudio("route", (state) => state.step);
  const before = useRef(running);
  useEffect(() => {
    const ended = before.current && !running;
    before.current = running;
    if (!ended || step === "train" || document.activeElement !== document.body) return;
    document.querySelector<HTMLElement>(`.dock [data-main]:enabled, #${step} h2`)?.focus({ preventScroll: true });
  }, [running, step]);
}

function RunBar({ away }: { readonly away: boolean }) {
  const desk = useDesk();
  const training = useStudio("training", (state) => state);
  const { phase, step, steps, losses, millisecondsPerStep } = training;
  const stopping = phase === "stopping";
  const left = millisecondsPerStep > 0 && steps > 0 ? (steps - step) * millisecondsPerStep : null;
  return (
    <section className="dock" aria-label={strings.frame.dock}>
      <div className="dock-inner">
        {away && (
          <Text size="sm" className="numbers dock-run">
            {steps > 0 ? strings.frame.runLine(step, steps, losses.at(-1), left) : phaseName(training)}{" "}
            <Anchor href={hashOf("train")} inherit underline="always">
              {strings.frame.live}
            </Anchor>
          </Text>
        )}
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
    </section>
  );
}

function StartBar({ step }: { readonly step: Step }) {
  const recipe = useStudio("recipe", (state) => state.recipe);
  const plan = useStudio("recipe", (state) => state.plan);
  const shown = useStudio("data", (state) => state.shown);
  const ready = useReadiness();
  const { speed, current } = useSpeed();
  const steps = shown?.steps ?? 0;
  // While a new look is waited for, what the one before it said stays, so that nothing moves.
  const told = shown !== null && (ready.kind === "ready" || ready.kind === "waiting");
  const reason = ready.kind === "blocked" ? ready.reason : null;
  const next = nextStep[step];
  return (
    <section className="dock" aria-label={strings.frame.dock}>
      <div className="dock-inner">
        <div className="consequence">
          {told && (
            <Text size="sm" c="dimmed" className="numbers">
              {text.consequence(steps, shown.tokens)}
              {plan !== null && ` · ${text.memory(plan.total)}`}
              {current && speed !== null && ` · ${strings.settings.takes.about(steps * speed.millisecondsPerStep)}`}
            </Text>
          )}
          {told && steps < fewSteps && recipe !== null && (
            <Text size="sm" className="warning">
              {text.few[recipe.steps !== null ? "steps" : recipe.pack ? "packed" : "unpacked"]}
            </Text>
          )}
          {ready.kind === "blocked" && reason !== null && (
            <Text size="sm" className="warning wrap" id={reasonId}>
              {reason}{" "}
              {ready.where !== step && (
                <Anchor href={hashOf(ready.where)} inherit underline="always">
                  {strings[ready.where].see}
                </Anchor>
              )}
            </Text>
          )}
        </div>
        {next !== undefined && (
          <Button
            component="a"
            href={hashOf(next)}
            size="md"
            variant="default"
            rightSection={<ArrowRight size={16} aria-hidden />}
          >
            {strings.frame.next(strings.frame.titles[next])}
          </Button>
        )}
        <MainButton ready={ready} reason={reason === null ? undefined : reasonId} />
      </div>
    </section>
  );
}
