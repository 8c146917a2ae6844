/** Training: the settings before a run, the run while it lasts, its result after. */
import { Button, Stack, Text, Title } from "@mantine/core";
import { Play, Square, Wrench } from "lucide-react";
import { stopTraining, train } from "../actions/train";
import { focusField } from "../components/fields";
import { Section } from "../components/section";
import { readiness } from "../stores/readiness";
import { isRunning } from "../stores/training";
import { strings } from "../strings";
import { useDesk, useStudio } from "../studio";
import { Run } from "./run";
import { Settings } from "./settings";

const text = strings.train;

export function TrainScreen() {
  const phase = useStudio("training", (state) => state.phase);
  const running = useStudio("training", isRunning);
  return (
    <Section id="train" title={text.title}>
      <Stack gap="md">
        {phase !== "idle" && <Run />}
        {phase !== "idle" && !running && (
          <Title order={3} size="h5">
            {text.nextRun}
          </Title>
        )}
        {!running && <Settings />}
        <RunBar />
      </Stack>
    </Section>
  );
}

/** The one main button, with what pressing it means beside it. */
function RunBar() {
  const desk = useDesk();
  const phase = useStudio("training", (state) => state.phase);
  const running = useStudio("training", isRunning);
  if (running) {
    const stopping = phase === "stopping";
    return (
      <div className="run-bar floating">
        <Button
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
  const ready = readiness({ device, model, data, recipe });
  return (
    <div className={floating ? "run-bar floating" : "run-bar"}>
      {data.shown !== null && ready.kind === "ready" && (
        <Text size="sm" c="dimmed" className="numbers consequence">
          {text.consequence(data.shown.steps, data.shown.tokens)}
          {recipe.plan !== null && ` · ${text.memory(recipe.plan.total)}`}
        </Text>
      )}
      <Button
        size="md"
        disabled={ready.kind === "blocked" || ready.kind === "waiting"}
        onClick={() => (ready.kind === "fix" ? focusField(ready.field) : void train(desk))}
        leftSection={ready.kind === "fix" ? <Wrench size={16} aria-hidden /> : <Play size={16} aria-hidden />}
        className="main-button"
        data-main
      >
        {ready.label}
      </Button>
    </div>
  );
}
