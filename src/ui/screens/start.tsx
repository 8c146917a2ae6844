/** Where the page opens: what is chosen, what a run of it takes, and one button; or one's own data. */
import { Anchor, Text, Title } from "@mantine/core";
import { tryRun } from "../actions/library";
import { DataChoose } from "../components/data/choose";
import { MainButton, useReadiness } from "../components/frame/main-button";
import { useSpeed } from "../components/settings/takes";
import { short } from "../format";
import { samples } from "../samples";
import { fits } from "../stores/library";
import { hashOf, type Step } from "../stores/route";
import { isRunning } from "../stores/training";
import { strings } from "../strings";
import { useDesk, useStudio } from "../studio";

const text = strings.frame.start;
const reasonId = "start-reason";

export function StartScreen() {
  const running = useStudio("training", isRunning);
  return (
    <div id="start" className="landing">
      <div className="landing-hero">
        <Title order={2} tabIndex={-1} className="landing-title">
          {text.title}
        </Title>
        <Text className="landing-lead">{text.lead}</Text>
        {running ? <Running /> : <Begin />}
        <Kept />
      </div>
      <Chosen />
      {!running && (
        <section className="landing-own" aria-labelledby="start-own">
          <Title order={3} size="h5" id="start-own">
            {text.own}
          </Title>
          <DataChoose />
        </section>
      )}
    </div>
  );
}

function Begin() {
  const ready = useReadiness();
  const plan = useStudio("recipe", (state) => state.plan);
  const steps = useStudio("data", (state) => state.shown?.steps ?? 0);
  const measuring = useStudio("consequences", (state) => state.measuring.state === "busy");
  const { speed, current } = useSpeed();
  const fetching = useStudio("picker", (state) => state.opening.state === "busy");
  // What the model or the data before said does not hold for those on their way.
  const told = plan !== null && steps > 0 && !fetching && (ready.kind === "ready" || ready.kind === "waiting");
  const time =
    current && speed !== null
      ? text.minutes(steps * speed.millisecondsPerStep)
      : measuring
        ? text.measuring
        : text.unmeasured;
  const reason = ready.kind === "blocked" ? ready.reason : null;
  return (
    <div className="landing-begin">
      <MainButton ready={ready} size="lg" reason={reason === null ? undefined : reasonId} />
      <Text size="sm" c="dimmed" className="numbers landing-takes">
        {told ? [time, text.memory(plan.total), text.noDownload].join(" · ") : " "}
      </Text>
      {ready.kind === "blocked" && reason !== null && (
        <Text size="sm" className="warning wrap" id={reasonId}>
          {reason}{" "}
          <Anchor href={hashOf(ready.where)} inherit underline="always">
            {strings[ready.where].see}
          </Anchor>
        </Text>
      )}
    </div>
  );
}

const Running = () => (
  <Text>
    {text.running}.{" "}
    <Anchor href={hashOf("train")} inherit underline="always">
      {strings.frame.live}
    </Anchor>
  </Text>
);

/** For who comes back. */
function Kept() {
  const desk = useDesk();
  const model = useStudio("model", (state) => state.model);
  const run = useStudio("library", ({ runs }) => runs[0]);
  if (run === undefined) return null;
  return (
    <Text size="sm" className="wrap">
      {text.kept(run.name)}{" "}
      {fits(run, model) && (
        <>
          <Anchor href={hashOf("try")} inherit underline="always" onClick={() => tryRun(desk, run.id)}>
            {text.tryIt}
          </Anchor>{" "}
          ·{" "}
        </>
      )}
      <Anchor href={hashOf("library")} inherit underline="always">
        {text.all}
      </Anchor>
    </Text>
  );
}

function Chosen() {
  const name = useStudio("model", (state) => state.name);
  const model = useStudio("model", (state) => state.model);
  const info = model.state === "ready" ? model.value : null;
  const data = useStudio("data", (state) => state.name);
  const sample = useStudio("data", (state) => state.sample);
  const shown = useStudio("data", (state) => state.shown);
  const preset = useStudio("recipe", (state) => state.preset);
  const epochs = useStudio("recipe", (state) => state.recipe?.epochs ?? 0);
  const fixedSteps = useStudio("recipe", (state) => state.recipe?.steps ?? null);
  const passes = shown === null || fixedSteps === null ? epochs : fixedSteps / Math.max(1, shown.stepsPerEpoch);
  const dataTitle = samples.find(({ id }) => id === sample)?.title ?? data ?? strings.frame.data.none;
  return (
    <section className="landing-chosen" aria-label={text.chosen}>
      <Choice
        step="model"
        title={strings.frame.titles.model}
        value={name}
        figures={info === null ? null : text.modelFigures(short(info.parameters), info.weightFormat)}
      />
      <Choice
        step="data"
        title={strings.frame.titles.data}
        value={dataTitle}
        figures={shown === null ? null : text.dataFigures(shown.rows, shown.tokens)}
      />
      <Choice
        step="train"
        title={text.settings}
        value={strings.settings.presets[preset].label}
        figures={shown === null ? null : text.settingsFigures(shown.steps, Math.round(shown.tokens * passes))}
      />
      <Gpu />
    </section>
  );
}

/** What does the work, and how much it lets one buffer hold. */
function Gpu() {
  const device = useStudio("device", (state) => state.device);
  if (device.state !== "ready") return null;
  const { name, isFallback, maxBufferSize, features } = device.value;
  return (
    <Choice
      step={null}
      title={text.gpu}
      value={name}
      figures={text.gpuFigures(maxBufferSize, isFallback, features.includes("shader-f16"))}
    />
  );
}

interface ChoiceProps {
  /** Where it is changed; null where it cannot be. */
  readonly step: Step | null;
  readonly title: string;
  readonly value: string;
  readonly figures: string | null;
}

function Choice({ step, title, value, figures }: ChoiceProps) {
  return (
    <div className="landing-choice">
      <Text size="xs" c="dimmed">
        {title}
      </Text>
      <Text fw={600} className="wrap">
        {value}
      </Text>
      <Text size="sm" c="dimmed" className="numbers">
        {figures ?? " "}
      </Text>
      {step !== null && (
        <Anchor href={hashOf(step)} size="sm" underline="always" aria-label={`${text.change}${text.changeOf(title)}`}>
          {text.change}
        </Anchor>
      )}
    </div>
  );
}
