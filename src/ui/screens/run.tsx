/** The run under way or just ended: phase, numbers, curve, and what came of it. */
import { Anchor, Button, Group, Progress, Stack, Text } from "@mantine/core";
import { CircleCheck, Download } from "lucide-react";
import { useEffect, useState } from "react";
import { downloadRun } from "../actions/library-files";
import { train } from "../actions/train";
import { RunCharts } from "../charts/run-charts";
import { ErrorNote } from "../components/error-note";
import { type Fact, Facts } from "../components/facts";
import { ProgressLine } from "../components/progress-line";
import { RunSamples } from "../components/run/samples";
import { RunWarnings, useWarnings } from "../components/run/warnings";
import { bytes, count, decimal, duration, rate } from "../format";
import { editText, fieldOrder } from "../stores/recipe";
import { hashOf } from "../stores/route";
import { isRunning, phaseName, type TrainingState } from "../stores/training";
import { strings } from "../strings";
import { useDesk, useStudio } from "../studio";

const text = strings.train;

/** Of the heading that tells the phase; it takes the focus when a run ends. */
export const statusId = "run-status";

export function Run() {
  const training = useStudio("training", (state) => state);
  const { phase, progress, step, steps, losses, error } = training;
  const view = useStudio("live", (state) => state.view);
  const running = isRunning(training);
  const warnings = useWarnings(training);
  const brokenAt = error?.code === "diverged" ? Number(error.data["step"] ?? Number.NaN) : Number.NaN;
  return (
    <Stack gap="sm" className="run" aria-busy={running}>
      <Group justify="space-between" className="run-head">
        <Text component="h3" fw={600} id={statusId} tabIndex={-1} className={running ? "phase running" : "phase"}>
          {phaseName(training)}
        </Text>
        {steps > 0 && <Text className="numbers">{text.step(step, steps)}</Text>}
      </Group>
      {running && progress !== null ? (
        <ProgressLine
          label={`${progress.phase.charAt(0).toUpperCase()}${progress.phase.slice(1)}…`}
          progress={progress}
        />
      ) : (
        steps > 0 &&
        phase !== "failed" && (
          <Progress value={(100 * step) / steps} size="sm" aria-label={text.step(step, steps)} transitionDuration={0} />
        )
      )}
      {phase === "failed" && error !== null && <Failure training={training} />}
      {phase === "failed" && error?.code === "diverged" && losses.length === 0 && (
        <Text size="sm">{strings.run.nothingKept}</Text>
      )}
      {phase === "stopped" && error !== null && <Text size="sm">{text.stoppedEarly}</Text>}
      {(running || losses.length > 0) && (
        <>
          <Numbers training={training} />
          <HeldOut training={training} />
          <RowsNotLearned training={training} />
          {/* A failure tells the same with its own action. */}
          <RunWarnings
            warnings={phase === "failed" ? warnings.filter(({ kind }) => kind !== "not-finite") : warnings}
          />
          <RunCharts run={training} view={view} brokenAt={Number.isFinite(brokenAt) ? brokenAt : null} />
          <RunSamples training={training} />
        </>
      )}
      <Result training={training} />
      <RunSettings training={training} />
    </Stack>
  );
}

function Numbers({ training }: { readonly training: TrainingState }) {
  const {
    losses,
    learningRate,
    gradientNorm,
    tokensPerSecond,
    millisecondsPerStep,
    steps,
    step,
    startedAt,
    endedAt,
    phase,
  } = training;
  const now = useNow(endedAt === null);
  const loss = losses.at(-1);
  const known = step > 0;
  const facts: Fact[] = [
    { name: text.loss, value: loss === undefined ? "–" : decimal(loss, 3), large: true },
    { name: text.rate, value: known ? rate(learningRate) : "–" },
    { name: text.norm, value: known ? decimal(gradientNorm, 2) : "–" },
    { name: text.speed, value: known ? count(tokensPerSecond) : "–" },
    { name: text.elapsed, value: duration((endedAt ?? now) - startedAt) },
  ];
  if (phase === "training")
    facts.push({ name: text.left, value: known ? duration((steps - step) * millisecondsPerStep) : "–" });
  return <Facts facts={facts} />;
}

function HeldOut({ training: { evals, summary } }: { readonly training: TrainingState }) {
  const before = summary?.evalBefore ?? evals[0]?.loss;
  const after = summary?.evalAfter ?? (evals.length > 1 ? evals.at(-1)?.loss : undefined);
  if (before === undefined || before === null) return null;
  return (
    <Text className="numbers" size="sm">
      {after === undefined || after === null ? text.heldOutBefore(before) : text.heldOut(before, after)}
    </Text>
  );
}

/** What of the data the finished run did not see; silent where it saw all. */
function RowsNotLearned({ training: { summary } }: { readonly training: TrainingState }) {
  if (summary === null) return null;
  const { leftOutRows = 0, heldOut = null } = summary;
  const sentences = [leftOutRows > 0 ? text.leftOut(leftOutRows) : null, heldOut && text.measured(heldOut)];
  return sentences.map(
    (sentence) =>
      sentence !== null && (
        <Text key={sentence} size="sm" c="dimmed" className="numbers">
          {sentence}
        </Text>
      ),
  );
}

function Result({ training: { summary } }: { readonly training: TrainingState }) {
  const desk = useDesk();
  const working = useStudio("library", (state) => state.working);
  if (summary === null) return null;
  return (
    <div className="verdict good" role="status">
      <CircleCheck size={20} aria-hidden />
      <div>
        <Text size="sm">{text.result(summary.name)}</Text>
        <Group gap="sm" mt={6}>
          <Button component="a" href={hashOf("try")} size="xs">
            {text.tryIt}
          </Button>
          <Button
            size="xs"
            variant="default"
            loading={working === summary.id}
            leftSection={<Download size={14} aria-hidden />}
            onClick={() => void downloadRun(desk, summary.id)}
          >
            {strings.library.download}
          </Button>
          <Anchor href={hashOf("library")} size="sm" c="inherit" underline="always">
            {strings.library.title}
          </Anchor>
        </Group>
      </div>
    </div>
  );
}

/** The settings as they were frozen at the start, whatever the form says by now. */
function RunSettings({ training: { recipe, memory } }: { readonly training: TrainingState }) {
  if (recipe === null) return null;
  const facts: Fact[] = fieldOrder.flatMap((field) => {
    const value = recipe[field];
    if (value === null || (field === "epochs" && recipe.steps !== null)) return [];
    const shown =
      typeof value === "boolean"
        ? text.flag[value ? "on" : "off"]
        : Array.isArray(value)
          ? value.join(", ")
          : String(value);
    return [{ name: strings.fields[field].label, value: shown }];
  });
  if (memory !== null) facts.push({ name: text.memoryName, value: bytes(memory.total) });
  return (
    <details className="advanced">
      <summary>{text.settingsOfRun}</summary>
      <Facts columns="wide" facts={facts} />
    </details>
  );
}

/** The action fits the cause: a smaller rate after a divergence, shorter rows when memory is short. */
function Failure({ training: { error, recipe } }: { readonly training: TrainingState }) {
  const desk = useDesk();
  const form = desk.stores.recipe;
  if (error === null) return null;
  const again = { label: text.again, run: () => void train(desk) };
  switch (error.code) {
    case "diverged":
      return (
        <ErrorNote
          error={error}
          action={
            recipe === null
              ? again
              : { label: text.halve, run: () => editText(form, "learningRate", String(recipe.learningRate / 2)) }
          }
        />
      );
    case "out-of-memory":
      return (
        <ErrorNote
          error={error}
          action={
            recipe === null || recipe.maxLength < 4
              ? again
              : {
                  label: text.shorter,
                  run: () => editText(form, "maxLength", String(Math.floor(recipe.maxLength / 2))),
                }
          }
        />
      );
    case "gpu":
      return <ErrorNote error={error} action={{ label: strings.device.reload, run: () => location.reload() }} />;
    case "bad-input":
      return <ErrorNote error={error} />;
    case "storage":
    case "busy":
    case "aborted":
    case "internal":
      return <ErrorNote error={error} action={again} />;
    default:
      return error.code satisfies never;
  }
}

/** The time, told every second while `ticking`. */
function useNow(ticking: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!ticking) return;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [ticking]);
  return now;
}
