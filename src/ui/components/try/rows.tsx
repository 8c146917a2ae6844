/** The losses of single rows under the base model and under the run: measured when asked, worst first. */
import { Anchor, Button, NativeSelect, Text } from "@mantine/core";
import { Ruler, Square } from "lucide-react";
import { measureRows, rowsSource, stopMeasuringRows } from "../../actions/row-losses";
import { hashOf } from "../../stores/route";
import { originOf, type RowLossesState, rowLimits, rowsFrom, sameOrigin } from "../../stores/row-losses";
import { sortRows, summarize } from "../../stores/row-order";
import { strings } from "../../strings";
import { useDesk, useGpuUser, useStudio } from "../../studio";
import { rowsMarkdown } from "../../trial-markdown";
import { ErrorNote } from "../error-note";
import { ProgressLine } from "../progress-line";
import { Section } from "../section";
import { CopyMarkdown } from "./copy";
import { RowLossTable } from "./row-table";

const text = strings.trial.rows;
const reasonId = "rows-reason";

export function TryRows() {
  const desk = useDesk();
  const measured = useStudio("rowLosses", (state) => state);
  const { phase, rows, error } = measured;
  return (
    <Section id="try-rows" title={text.title}>
      <div className="measure">
        <Text size="sm" c="dimmed" maw="60em">
          {text.intro}
        </Text>
        <Controls measured={measured} />
        {phase === "measuring" && <Far measured={measured} />}
        {phase === "stopped" && error === null && (
          <Text size="sm" role="status">
            {text.stoppedAfter(rows.length)}
          </Text>
        )}
        {error !== null && (
          <ErrorNote error={error} action={{ label: strings.errors.retry, run: () => void measureRows(desk) }} />
        )}
        {rows.length > 0 && <Measured measured={measured} />}
      </div>
    </Section>
  );
}

function Controls({ measured }: { readonly measured: RowLossesState }) {
  const desk = useDesk();
  const { rowLosses } = desk.stores;
  const data = useStudio("data", (state) => state);
  const modelReady = useStudio("model", (state) => state.model.state === "ready");
  const user = useGpuUser();
  const measuring = measured.phase === "measuring";
  const from = rowsFrom(measured, data);
  const { name, heldOutName } = data;
  const reason = !modelReady
    ? strings.trial.blocked.model
    : name === null
      ? text.noData
      : user === null || measuring
        ? null
        : strings.trial.waits[user];
  return (
    <>
      <div className="measure-controls">
        <NativeSelect
          className="measure-which"
          label={text.which}
          value={from}
          disabled={measuring}
          onChange={(event) =>
            rowLosses.setState({ from: event.currentTarget.value === "dataset" ? "dataset" : "heldOut" })
          }
          data={[
            ...(heldOutName === null ? [] : [{ value: "heldOut", label: text.heldOut(heldOutName) }]),
            { value: "dataset", label: name === null ? text.noData : text.dataset(name) },
          ]}
        />
        <NativeSelect
          label={text.most}
          value={String(measured.most)}
          disabled={measuring}
          onChange={(event) => rowLosses.setState({ most: Number(event.currentTarget.value) })}
          data={rowLimits.map((most) => ({ value: String(most), label: text.mostRows(most) }))}
        />
        {/* One button that changes its word, so that it keeps the focus. */}
        <Button
          variant={measuring ? "default" : "filled"}
          onClick={() => (measuring ? stopMeasuringRows(desk) : void measureRows(desk))}
          disabled={reason !== null}
          aria-describedby={reason === null ? undefined : reasonId}
          leftSection={measuring ? <Square size={16} aria-hidden /> : <Ruler size={16} aria-hidden />}
        >
          {measuring ? text.cancel : text.measure}
        </Button>
      </div>
      <Text size="xs" c="dimmed" maw="60em">
        {from === "heldOut" ? text.heldOutHint : text.datasetHint}
        {from === "dataset" && data.options.evalShare > 0 && ` ${text.shareHint(data.options.evalShare)}`}
        {heldOutName === null && (
          <>
            {" "}
            <Anchor href={hashOf("data")} inherit underline="always">
              {text.noHeldOut}
            </Anchor>
          </>
        )}
      </Text>
      {reason !== null && (
        <Text size="xs" className="warning wrap" id={reasonId}>
          {reason}
        </Text>
      )}
    </>
  );
}

function Far({ measured: { progress, rows } }: { readonly measured: RowLossesState }) {
  const known = progress !== null && progress.total > 0;
  return (
    <div>
      <ProgressLine label={progress === null ? text.starting : text.phase(progress.phase)} progress={progress} />
      <Text size="xs" c="dimmed" className="numbers">
        {known &&
          (rows.length > 0 ? text.far(rows.length, progress.total) : text.percent(progress.done, progress.total))}
      </Text>
    </div>
  );
}

function Measured({ measured }: { readonly measured: RowLossesState }) {
  const desk = useDesk();
  const { rows, origin, phase, whole, sort } = measured;
  const model = useStudio("model", (state) => state);
  const library = useStudio("library", (state) => state);
  const data = useStudio("data", (state) => state);
  const recipe = useStudio("recipe", (state) => state);
  const summary = summarize(rows);
  if (origin === null || summary === null) return null;
  const from = rowsFrom(measured, data);
  const earlier =
    phase !== "measuring" && !sameOrigin(origin, originOf(model, library, recipe, from, rowsSource(desk, from)));
  const notes = [
    text.means,
    ...(whole === null ? [] : [text.ofAll(rows.length, whole.totalRows), text.leftOut(whole.leftOutRows)]),
  ].filter((note) => note !== null);
  return (
    <>
      {earlier && (
        <Text size="sm" className="warning wrap" role="status">
          {text.earlier(origin.runName, origin.model.name, origin.dataName)}
        </Text>
      )}
      <div className="measured-head">
        <div>
          <Text size="sm" fw={600} className="numbers" role={phase === "measuring" ? undefined : "status"}>
            {text.summary(summary)}
          </Text>
          <Text size="xs" c="dimmed">
            {notes.join(" ")}
          </Text>
        </div>
        {phase !== "measuring" && (
          <CopyMarkdown label={strings.trial.copy.rows} make={() => rowsMarkdown(sortRows(rows, sort), origin)} />
        )}
      </div>
      <RowLossTable rows={rows} sort={sort} page={measured.page} />
    </>
  );
}
