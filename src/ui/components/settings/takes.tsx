/** What the run that is set would take: steps, tokens, time and memory, from the real plan and a measurement. */
import { Button, Group, Text } from "@mantine/core";
import { Gauge, X } from "lucide-react";
import { measureSpeed, speedKey, stopMeasuring } from "../../actions/consequences";
import { bytes, count, decimal } from "../../format";
import { strings } from "../../strings";
import { useDesk, useGpuUser, useStudio } from "../../studio";
import { ErrorNote } from "../error-note";
import { Facts } from "../facts";
import { type BarPart, StackedBar } from "./bar";
import { Reliefs } from "./reliefs";

const text = strings.settings.takes;

/** The speed measured with the settings as they are; null where there is none. */
export function useSpeed() {
  const desk = useDesk();
  // What the key is made of: drawn again when any of it changes.
  useStudio("recipe", (state) => state.recipe);
  useStudio("data", (state) => state.info);
  useStudio("data", (state) => state.shown);
  useStudio("model", (state) => state.model);
  const speed = useStudio("consequences", (state) => state.speed);
  const key = speedKey(desk);
  return { speed, key, current: speed !== null && speed.key === key };
}

export function Takes() {
  const shown = useStudio("data", (state) => state.shown);
  const epochs = useStudio("recipe", (state) => state.recipe?.epochs ?? null);
  const fixedSteps = useStudio("recipe", (state) => state.recipe?.steps ?? null);
  const { speed, current } = useSpeed();
  const steps = shown?.steps ?? 0;
  const passes = fixedSteps === null ? (epochs ?? 0) : fixedSteps / Math.max(1, shown?.stepsPerEpoch ?? 1);
  const known = shown !== null && steps > 0;
  const time = known && current && speed !== null ? text.about(steps * speed.millisecondsPerStep) : text.unknown;
  return (
    <section className="takes" aria-label={text.title}>
      <Text fw={600} size="sm" component="h3">
        {text.title}
      </Text>
      <Facts
        facts={[
          { name: text.steps, value: known ? count(steps) : text.unknown },
          { name: text.tokens, value: known && passes > 0 ? count(shown.tokens * passes) : text.unknown },
          { name: text.time, value: time },
          {
            name: text.speed,
            value: current && speed !== null ? perSecond(speed.tokensPerSecond) : text.unknown,
          },
        ]}
      />
      <SpeedLine />
      <Memory />
      <Reliefs />
    </section>
  );
}

const perSecond = (tokens: number): string => (tokens < 10 ? decimal(tokens, 1) : count(tokens));

/** Where the time comes from, and the button that measures it. */
function SpeedLine() {
  const desk = useDesk();
  const { speed, key, current } = useSpeed();
  const measuring = useStudio("consequences", (state) => state.measuring);
  const gpuUser = useGpuUser();
  if (measuring.state === "failed") {
    return <ErrorNote error={measuring.error} action={{ label: text.again, run: () => void measureSpeed(desk) }} />;
  }
  const busy = measuring.state === "busy";
  const told = busy ? text.measuring : current ? text.measured : speed === null ? text.never : text.stale;
  return (
    <div className="speed-line">
      <Text size="xs" c="dimmed" role="status" className="grow">
        {told}
      </Text>
      <Button
        size="compact-sm"
        variant="default"
        disabled={!busy && (key === null || gpuUser !== null)}
        leftSection={busy ? <X size={14} aria-hidden /> : <Gauge size={14} aria-hidden />}
        onClick={() => (busy ? stopMeasuring(desk) : void measureSpeed(desk))}
      >
        {busy ? text.cancel : current ? text.again : text.measure}
      </Button>
    </div>
  );
}

/** The plan's bytes by purpose, beside what the user allows. */
function Memory() {
  const plan = useStudio("recipe", (state) => state.plan);
  const budget = useStudio("picker", (state) => state.budget.bytes);
  if (plan === null) {
    return (
      <Text size="sm" c="dimmed" className="memory-place">
        {text.planless}
      </Text>
    );
  }
  const parts: readonly BarPart[] = [
    { name: text.parts.weights, value: plan.weights, colour: 1 },
    { name: text.parts.adapter, value: plan.adapter, colour: 2 },
    { name: text.parts.activations, value: plan.activations, colour: 3 },
    { name: text.parts.loss, value: plan.loss, colour: 5 },
    { name: text.parts.other, value: plan.other, colour: 4 },
  ];
  const over = plan.total > budget;
  return (
    <div className="memory-place">
      <Group justify="space-between" gap="xs">
        <Text size="sm" fw={600}>
          {text.memory}
        </Text>
        <Text size="sm" className={over ? "numbers warning" : "numbers"}>
          {over ? text.over(plan.total, budget) : text.budget(plan.total, budget)}
        </Text>
      </Group>
      <StackedBar parts={parts} whole={plan.total} limit={budget} />
      <ul className="memory-parts">
        {parts.map(({ name, value, colour }) => (
          <li key={name}>
            <span className={`key part-key-${colour}`}>{name}</span> <span className="numbers">{bytes(value)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
