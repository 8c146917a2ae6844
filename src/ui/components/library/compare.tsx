/** Chosen runs side by side: curves over each other, what came out, and the settings, those that differ first. */
import { Button, Checkbox, CloseButton, Group, Modal, NativeSelect, Text } from "@mantine/core";
import { FileSpreadsheet } from "lucide-react";
import { useMemo, useState } from "react";
import type { RunSummary } from "../../../worker/protocol";
import { closeComparison, saveComparison } from "../../actions/library-compare";
import { bytes, count, decimal, duration } from "../../format";
import { chosenRuns } from "../../stores/library";
import { curveOf, type Figure, figures } from "../../stores/run-curves";
import { compareSettings, type Setting, wasTrained } from "../../stores/run-settings";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";
import { CompareAnswers } from "./compare-answers";
import { CompareChart } from "./compare-chart";
import { type Line, Lines } from "./compare-lines";

const text = strings.library.comparison;

export function LibraryCompare() {
  const desk = useDesk();
  const comparing = useStudio("library", (state) => state.comparing);
  const all = useStudio("library", (state) => state.runs);
  const chosen = useStudio("library", (state) => state.chosen);
  const runs = useMemo(() => chosenRuns({ runs: all, chosen }), [all, chosen]);
  const close = (): void => closeComparison(desk);
  return (
    <Modal.Root opened={comparing && runs.length >= 2} onClose={close} size="min(1080px, 100%)">
      <Modal.Overlay />
      <Modal.Content>
        <Modal.Body className="dialog">
          <div className="dialog-head">
            <Modal.Title fw={600}>{text.title(runs.length)}</Modal.Title>
            <CloseButton onClick={close} aria-label={strings.app.close} data-autofocus />
          </div>
          <Comparison runs={runs} />
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

function Comparison({ runs }: { readonly runs: readonly RunSummary[] }) {
  const desk = useDesk();
  const logs = useStudio("library", (state) => state.logs);
  const [figure, setFigure] = useState<Figure>("loss");
  const [smooth, setSmooth] = useState(true);
  const [logarithmic, setLogarithmic] = useState(false);
  const curves = useMemo(
    () => runs.map((run) => ({ id: run.id, name: run.name, points: curveOf(run, logs, figure) })),
    [runs, logs, figure],
  );
  const reading = figure !== "loss" && runs.some(({ id }) => logs[id]?.state === "busy");
  const choose = (value: string): void => setFigure(figures.find((known) => known === value) ?? "loss");
  return (
    <div className="comparison">
      <Group gap="md">
        <NativeSelect
          size="xs"
          value={figure}
          onChange={(event) => choose(event.currentTarget.value)}
          aria-label={text.figures.label}
          data={figures.map((value) => ({ value, label: text.figures[value] }))}
        />
        <Checkbox
          size="xs"
          label={text.smooth}
          checked={smooth && figure !== "heldOut"}
          disabled={figure === "heldOut"}
          onChange={(event) => setSmooth(event.currentTarget.checked)}
        />
        <Checkbox
          size="xs"
          label={text.log}
          checked={logarithmic}
          onChange={(event) => setLogarithmic(event.currentTarget.checked)}
        />
      </Group>
      <CompareChart
        curves={curves}
        figure={text.figures[figure]}
        smooth={smooth && figure !== "heldOut"}
        dots={figure === "heldOut"}
        logarithmic={logarithmic}
        empty={reading ? text.reading : text.nothing}
      />
      {runs.map(({ id, name }) => {
        const log = logs[id];
        return log?.state === "failed" ? (
          <Text key={id} size="xs" c="red" role="alert" className="wrap">
            {text.unread(name, log.error.message)}
          </Text>
        ) : null;
      })}
      <Tables runs={runs} />
      <CompareAnswers runs={runs} />
      <Group gap="sm">
        <Button
          variant="default"
          size="xs"
          leftSection={<FileSpreadsheet size={14} aria-hidden />}
          onClick={() => saveComparison(desk)}
        >
          {text.csv}
        </Button>
        <Text size="xs" c="dimmed">
          {text.csvHint}
        </Text>
      </Group>
    </div>
  );
}

const results: readonly Line[] = [
  {
    key: "loss",
    label: text.finalLoss,
    value: ({ losses }) => (losses.length === 0 ? text.none : decimal(losses.at(-1) ?? Number.NaN, 3)),
  },
  {
    key: "heldOut",
    label: text.heldOut,
    value: ({ evalBefore, evalAfter }) =>
      evalBefore === null ? text.none : evalAfter === null ? text.only(evalBefore) : text.change(evalBefore, evalAfter),
  },
  { key: "steps", label: text.steps, value: (run) => (wasTrained(run) ? count(run.steps) : text.none) },
  { key: "tokens", label: text.tokens, value: (run) => (wasTrained(run) ? count(run.tokens) : text.none) },
  { key: "time", label: text.time, value: (run) => (wasTrained(run) ? duration(run.milliseconds) : text.none) },
  { key: "size", label: text.size, value: ({ adapterBytes }) => bytes(adapterBytes) },
];

function Tables({ runs }: { readonly runs: readonly RunSummary[] }) {
  const { differing, same } = compareSettings(runs);
  return (
    <>
      <Lines title={text.results} head={text.result} runs={runs} lines={results} />
      {differing.length === 0 ? (
        <Text size="sm">{text.allSame}</Text>
      ) : (
        <Lines title={text.differing} head={text.setting} runs={runs} lines={differing} />
      )}
      {same.length > 0 && (
        <details className="comparison-same">
          <summary>{text.same(same.length)}</summary>
          <Same settings={same} run={runs[0]} />
        </details>
      )}
    </>
  );
}

function Same({ settings, run }: { readonly settings: readonly Setting[]; readonly run: RunSummary | undefined }) {
  if (run === undefined) return null;
  return (
    <dl className="facts facts-wide">
      {settings.map(({ key, label, value }) => (
        <div key={key} className="fact">
          <dt>{label}</dt>
          <dd>{value(run)}</dd>
        </div>
      ))}
    </dl>
  );
}
