/** All charts of a run, their controls, and the same numbers as a table. */
import { Text } from "@mantine/core";
import { useId, useMemo, useState } from "react";
import { RunControls } from "../components/run/controls";
import { count, decimal, rate, short } from "../format";
import type { ChartView } from "../stores/live";
import type { RunNumbers } from "../stores/training";
import { strings } from "../strings";
import { smoothed } from "./curve";
import { createCursor, Panel, Reader } from "./panel";
import type { PlotInput } from "./plot";
import { RunTable } from "./run-table";

const text = strings.run.charts;
const [largeHeight, smallHeight] = [220, 120];
const none: readonly never[] = [];

interface Props {
  readonly run: RunNumbers;
  readonly view: ChartView;
  /** The step that ended the run because a number was none. */
  readonly brokenAt: number | null;
}

export function RunCharts({ run, view, brokenAt }: Props) {
  const { losses, rates, norms, speeds, evals, steps } = run;
  const [cursor] = useState(createCursor);
  const table = useId();
  const { smoothing, log, clip, window } = view;
  const marks = useMemo(() => {
    const found = losses.flatMap((loss, index) => (Number.isFinite(loss) ? [] : [index + 1]));
    return brokenAt === null ? found : [...found, brokenAt];
  }, [losses, brokenAt]);
  const lossMean = useMemo(() => smoothed(losses, smoothing, log), [losses, smoothing, log]);
  const normMean = useMemo(() => smoothed(norms, smoothing, log), [norms, smoothing, log]);
  const speedMean = useMemo(() => smoothed(speeds, smoothing, false), [speeds, smoothing]);

  const shared = useMemo(() => ({ steps, window, points: none, marks: none }), [steps, window]);
  const loss = useMemo<PlotInput>(
    () => ({
      ...shared,
      values: losses,
      smooth: lossMean,
      points: evals,
      marks,
      log,
      clip,
      fromZero: false,
      format: plain,
    }),
    [shared, losses, lossMean, evals, marks, log, clip],
  );
  const rateInput = useMemo<PlotInput>(
    () => ({ ...shared, values: rates, smooth: null, log: false, clip: false, fromZero: true, format: rateTick }),
    [shared, rates],
  );
  const norm = useMemo<PlotInput>(
    () => ({ ...shared, values: norms, smooth: normMean, log, clip, fromZero: true, format: plain }),
    [shared, norms, normMean, log, clip],
  );
  const speed = useMemo<PlotInput>(
    () => ({ ...shared, values: speeds, smooth: speedMean, log: false, clip, fromZero: true, format: short }),
    [shared, speeds, speedMean, clip],
  );

  const heldOut = (step: number): number | undefined => evals.find((entry) => entry.step === step)?.loss;
  const readLoss = (step: number): string => {
    const held = heldOut(step);
    return [
      text.at(step),
      known(losses[step - 1], 3),
      text.value(text.smooth, known(lossMean[step - 1], 3)),
      ...(held === undefined ? [] : [text.value(text.heldOut, known(held, 3))]),
    ].join(" · ");
  };
  const readRate = (step: number): string => rate(rates[step - 1] ?? 0);
  const readNorm = (step: number): string => known(norms[step - 1], 2);
  const readSpeed = (step: number): string => count(speeds[step - 1] ?? 0);
  const readAll = (step: number): string =>
    [
      readLoss(step),
      text.value(text.rate, readRate(step)),
      text.value(text.norm, readNorm(step)),
      text.value(text.speed, readSpeed(step)),
    ].join(", ");

  return (
    <div className="run-charts">
      <Panel
        title={text.loss}
        height={largeHeight}
        input={loss}
        cursor={cursor}
        read={readLoss}
        details={table}
        keys={
          <>
            <span className="key key-raw">{text.raw}</span>
            <span className="key key-smooth">{text.smooth}</span>
            {evals.length > 0 && <span className="key key-eval">{text.heldOut}</span>}
          </>
        }
      >
        {losses.length > 0 && <Reader cursor={cursor} steps={losses.length} read={readAll} />}
        {losses.length === 0 && (
          <Text size="sm" c="dimmed" className="chart-empty">
            {text.empty}
          </Text>
        )}
      </Panel>
      <div className="run-panels">
        <Panel title={text.norm} height={smallHeight} input={norm} cursor={cursor} read={readNorm} details={table} />
        <Panel
          title={text.rate}
          height={smallHeight}
          input={rateInput}
          cursor={cursor}
          read={readRate}
          details={table}
        />
        <Panel title={text.speed} height={smallHeight} input={speed} cursor={cursor} read={readSpeed} details={table} />
      </div>
      <RunControls />
      <RunTable id={table} run={run} smooth={lossMean} />
    </div>
  );
}

const known = (value: number | undefined, digits: number): string =>
  value === undefined || !Number.isFinite(value) ? text.noNumber : decimal(value, digits);

/** As many digits as tell two ticks apart. */
function plain(value: number, increment: number): string {
  return value.toFixed(Math.min(6, Math.max(0, -Math.floor(Math.log10(increment) + 1e-9))));
}

function rateTick(value: number): string {
  if (value === 0) return "0";
  return value < 0.01 ? value.toExponential(1).replace(".0e", "e") : String(Number(value.toPrecision(2)));
}
