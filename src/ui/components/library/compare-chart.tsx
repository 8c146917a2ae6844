/** One curve for each run over the steps, told apart by colour and dashes; a table says the same. */
import { Text, useComputedColorScheme, VisuallyHidden } from "@mantine/core";
import { useEffect, useId, useMemo, useRef } from "react";
import uPlot from "uplot";
import { debiasedEma, spread } from "../../charts/ema";
import { count } from "../../format";
import type { Curve } from "../../stores/run-curves";
import { strings } from "../../strings";

const text = strings.library.comparison;
const height = 260;
const tableRows = 25;
/** The same for all curves, so that they can be compared; long runs bear more. */
const smoothingOf = (steps: number): number => (steps > 100 ? 0.9 : 0.7);
/** In pixels, on and off; colours repeat none of them. */
const dashes: readonly (readonly number[])[] = [[], [7, 3], [2, 3], [9, 3, 2, 3], [], [7, 3], [2, 3], [9, 3, 2, 3]];

export interface RunCurve {
  readonly id: string;
  readonly name: string;
  readonly points: Curve;
}

interface Props {
  readonly curves: readonly RunCurve[];
  /** Its name, such as "Loss". */
  readonly figure: string;
  readonly smooth: boolean;
  /** Few points: each is marked. */
  readonly dots: boolean;
  readonly logarithmic: boolean;
  /** Said where there is no point at all. */
  readonly empty: string;
}

/** Three significant digits; tiny and huge numbers as powers of ten. */
function short(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size < 1e-3 || size >= 1e5 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}

type Column = (number | null)[];

/** All steps of all curves, and each curve's value there. On a logarithmic axis only values above 0 have a place. */
function columnsOf(curves: readonly RunCurve[], smooth: boolean, logarithmic: boolean): [number[], ...Column[]] {
  const steps = [...new Set(curves.flatMap(({ points }) => points.map(([step]) => step)))].sort((a, b) => a - b);
  const columns = curves.map(({ points }): Column => {
    const raw = points.map(([, value]) => value);
    const values = smooth ? debiasedEma(raw, smoothingOf(steps.length)) : raw;
    const byStep = new Map(points.map(([step], index) => [step, values[index] ?? Number.NaN]));
    return steps.map((step) => {
      const value = byStep.get(step);
      return value === undefined || !Number.isFinite(value) || (logarithmic && value <= 0) ? null : value;
    });
  });
  return [steps, ...columns];
}

export function CompareChart({ curves, figure, smooth, dots, logarithmic, empty }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLSpanElement>(null);
  const table = useId();
  const scheme = useComputedColorScheme();
  const data = useMemo(() => columnsOf(curves, smooth, logarithmic), [curves, smooth, logarithmic]);
  const [steps, ...columns] = data;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the scheme changes what getComputedStyle answers.
  useEffect(() => {
    const element = place.current;
    if (element === null || data[0].length === 0) return;
    const say = (index: number | null): void => {
      if (readout.current !== null) readout.current.textContent = index === null ? "" : readoutOf(data, index);
    };
    const plot = new uPlot(options(element, curves.length, { dots, logarithmic }, say), data, element);
    const observer = new ResizeObserver(() => plot.setSize({ width: Math.max(1, element.clientWidth), height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [scheme, data, dots, logarithmic]);

  return (
    <figure className="chart" aria-label={text.chart(figure)} aria-details={table}>
      <figcaption className="chart-head compare-head">
        {curves.map(({ id, name }, index) => (
          <span key={id} className="wrap">
            <Sample index={index} />
            {name}
          </span>
        ))}
        <span ref={readout} className="chart-readout numbers" aria-hidden />
      </figcaption>
      <div ref={place} className="chart-place" style={{ height }} aria-hidden />
      {steps.length === 0 && (
        <Text size="sm" c="dimmed" className="chart-empty">
          {empty}
        </Text>
      )}
      <VisuallyHidden id={table}>
        <table>
          <caption>{text.table(figure)}</caption>
          <thead>
            <tr>
              <th scope="col">{text.step}</th>
              {curves.map(({ id, name }) => (
                <th key={id} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {spread(steps.length, tableRows).map((row) => (
              <tr key={steps[row]}>
                <th scope="row">{count(steps[row] ?? 0)}</th>
                {curves.map(({ id }, index) => (
                  <td key={id}>{written(columns[index]?.[row])}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </VisuallyHidden>
    </figure>
  );
}

/** The line as it is drawn, beside the run's name. */
function Sample({ index }: { readonly index: number }) {
  return (
    <svg width="26" height="8" aria-hidden className="compare-sample">
      <line
        x1="0"
        y1="4"
        x2="26"
        y2="4"
        className={`compare-line-${index}`}
        strokeDasharray={(dashes[index] ?? []).join(" ")}
      />
    </svg>
  );
}

const written = (value: number | null | undefined): string =>
  value === null || value === undefined ? text.none : short(value);

const readoutOf = ([steps, ...columns]: [number[], ...Column[]], index: number): string =>
  `${text.step} ${count(steps[index] ?? 0)} · ${columns.map((column) => written(column[index])).join(" · ")}`;

function options(
  element: HTMLElement,
  curves: number,
  { dots, logarithmic }: Pick<Props, "dots" | "logarithmic">,
  say: (index: number | null) => void,
): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: colour("--chart-text"),
    grid: { stroke: colour("--chart-grid"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui, sans-serif",
    gap: 6,
  };
  return {
    width: Math.max(1, element.clientWidth),
    height,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: { x: { time: false }, y: logarithmic ? { distr: 3 } : {} },
    axes: [
      { ...axis, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000, 100_000], size: 26 },
      {
        ...axis,
        size: 58,
        values: (_plot, ticks: readonly (number | null)[]) => ticks.map((tick) => (tick === null ? "" : short(tick))),
      },
    ],
    series: [
      {},
      ...Array.from({ length: curves }, (_, index): uPlot.Series => {
        const stroke = colour(`--compare-${index}`);
        return {
          stroke,
          width: 2,
          dash: [...(dashes[index] ?? [])],
          // Runs of other lengths have other steps: the line goes on over those it lacks.
          spanGaps: true,
          points: { show: dots, size: 7, fill: stroke },
        };
      }),
    ],
    hooks: { setCursor: [(plot) => say(plot.cursor.idx ?? null)] },
  };
}
