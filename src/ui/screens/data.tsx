/** The data step: choosing files, how they are read, what a run would see, what is wrong, and the rows themselves. */
import { Button, Stack, Text, VisuallyHidden } from "@mantine/core";
import type { DatasetInfo } from "../../worker/protocol";
import { chooseSample, takeLeftOut } from "../actions/choose-data";
import { inspect, undoOptions } from "../actions/data";
import { openReader } from "../actions/reader";
import { DataChoose } from "../components/data/choose";
import { DataFigures } from "../components/data/figures";
import { HeldOut } from "../components/data/held-out";
import { LeftOut } from "../components/data/left-out";
import { DataProblems } from "../components/data/problems";
import { DataReading } from "../components/data/reading";
import { DataRows } from "../components/data/rows";
import { DataSettings } from "../components/data/settings";
import { DataTaken } from "../components/data/taken";
import { ErrorNote } from "../components/error-note";
import { Section } from "../components/section";
import { needsMapping } from "../mapping";
import { samples } from "../samples";
import { readerOf } from "../stores/model";
import { isRunning } from "../stores/training";
import { strings } from "../strings";
import { useDesk, useStudio } from "../studio";

const text = strings.data;

export function DataScreen() {
  const name = useStudio("data", (state) => state.name);
  const size = useStudio("data", (state) => state.bytes);
  const sample = useStudio("data", (state) => state.sample);
  const title = samples.find(({ id }) => id === sample)?.title;
  return (
    <Section
      id="data"
      title={text.title}
      aside={
        name !== null && (
          <Text className="section-name wrap">
            {title === undefined ? text.named(name, size) : text.sampleNamed(title)}
          </Text>
        )
      }
    >
      <div className="data-sides">
        <Stack gap="sm">
          <DataChoose />
          <NotTaken />
          <Reading />
        </Stack>
        <Stack gap="sm">
          <Look />
        </Stack>
      </div>
    </Section>
  );
}

function NotTaken() {
  const desk = useDesk();
  const running = useStudio("training", isRunning);
  const names = useStudio("data", (state) => state.leftOut);
  return <LeftOut names={names} onTake={() => void takeLeftOut(desk, "data")} disabled={running} />;
}

/** What the files were taken for and how their rows are read. */
function Reading() {
  const shown = useStudio("data", (state) => state.shown);
  const chosen = useStudio("data", (state) => state.name !== null);
  return (
    <>
      {shown !== null && <DataTaken info={shown} />}
      {chosen && <HeldOut />}
      {shown !== null && <DataSettings info={shown} />}
    </>
  );
}

/** What is known of the chosen files, in every state that the look into them can have. */
function Look() {
  const info = useStudio("data", (state) => state.info);
  const shown = useStudio("data", (state) => state.shown);
  const head = useStudio("data", (state) => state.head);
  const stopped = useStudio("data", (state) => state.stopped);
  const chosen = useStudio("data", (state) => state.name !== null);
  const mapping = useStudio("data", (state) => state.shownOptions.mapping);
  const unmapped = shown !== null && needsMapping(shown, mapping);
  const readable = useStudio("model", (state) => readerOf(state) !== null);
  return (
    <>
      <Failures />
      {info.state === "busy" && shown === null && <DataReading />}
      {stopped && <Stopped />}
      {info.state === "idle" && chosen && !readable && shown === null && <Waiting />}
      {shown !== null && info.state !== "failed" && (
        <>
          {!unmapped && <DataFigures info={shown} />}
          {!unmapped && <DataProblems info={shown} />}
          <DataRows cellsOnly={unmapped} />
        </>
      )}
      {shown === null && head.length > 0 && <DataRows cellsOnly={false} />}
      <Spoken info={shown} busy={info.state === "busy"} />
    </>
  );
}

/** Neither a model is open yet nor, where no device opens, its tokenizer. */
function Waiting() {
  const desk = useDesk();
  const reader = useStudio("model", (state) => state.reader);
  if (reader.state === "failed") {
    return (
      <ErrorNote error={reader.error} action={{ label: strings.errors.retry, run: () => void openReader(desk) }} />
    );
  }
  return (
    <Text size="sm" c="dimmed">
      {reader.state === "busy" ? text.reading : text.waiting}
    </Text>
  );
}

function Failures() {
  const desk = useDesk();
  const choiceError = useStudio("data", (state) => state.choiceError);
  const info = useStudio("data", (state) => state.info);
  const sample = useStudio("data", (state) => state.sample);
  const changed = useStudio("data", (state) => state.shown !== null);
  const back = { label: text.sample, run: () => void chooseSample(desk) };
  const retry = { label: strings.errors.retry, run: () => void inspect(desk) };
  const undo = { label: text.undo, run: () => void undoOptions(desk) };
  return (
    <>
      {choiceError !== null && <ErrorNote error={choiceError} />}
      {info.state === "failed" && (
        <ErrorNote error={info.error} action={changed ? undo : sample === null ? back : retry} />
      )}
    </>
  );
}

function Stopped() {
  const desk = useDesk();
  return (
    <div className="reading">
      <Text size="sm" role="status" className="grow">
        {text.cancelled}
      </Text>
      <Button size="compact-sm" onClick={() => void inspect(desk)}>
        {text.readAgain}
      </Button>
    </div>
  );
}

/** Said when a look begins and when it has come to its end, and nothing in between. */
function Spoken({ info, busy }: { readonly info: DatasetInfo | null; readonly busy: boolean }) {
  return (
    <VisuallyHidden role="status">
      {busy ? text.reading : info !== null && text.seen(info.rows, info.problems.length)}
    </VisuallyHidden>
  );
}
