/** Loss by step: every step thin, its debiased moving average bold, held-out losses as dots; a table says the same. */
import { Text, useComputedColorScheme, VisuallyHidden } from "@mantine/core";
import { useEffect, useId, useMemo, useRef } from "react";
import uPlot from "uplot";
import { count, decimal } from "../format";
import { strings } from "../strings";
import { debiasedEma, spread } from "./ema";

const text = strings.train;
const height = 200;
const tableRows = 25;

interface Props {
  readonly losses: readonly number[];
  readonly evals: readonly { readonly step: number; readonly loss: number }[];
  /** The x axis spans all steps from the start, so that the line shows how far the run is. */
  readonly steps: number;
}

export function LossChart({ losses, evals, steps }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLSpanElement>(null);
  const plot = useRef<uPlot | null>(null);
  const table = useId();
  const scheme = useComputedColorScheme();
  const smooth = useMemo(() => debiasedEma(losses, 0.9), [losses]);

  // One plot per colour scheme; data comes by setData below.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the scheme changes what getComputedStyle answers.
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const made = new uPlot(options(element, readout.current), [[], [], [], []], element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [scheme]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new plot needs its data again.
  useEffect(() => {
    const last = Math.max(steps, losses.length, 1);
    const x = Array.from({ length: losses.length + 1 }, (_, step) => step);
    const heldOut = x.map((step) => evals.find((entry) => entry.step === step)?.loss ?? null);
    const drawn = (values: readonly number[]): (number | null)[] => [
      null,
      ...values.map((value) => (Number.isFinite(value) ? value : null)),
    ];
    plot.current?.setData([x, drawn(losses), drawn(smooth), heldOut], false);
    plot.current?.setScale("x", { min: 0, max: last });
  }, [losses, smooth, evals, steps, scheme]);

  return (
    <figure className="chart" aria-label={text.chartLabel} aria-details={table}>
      <figcaption className="chart-head">
        <span className="key key-raw">{text.chartRaw}</span>
        <span className="key key-smooth">{text.chartSmooth}</span>
        {evals.length > 0 && <span className="key key-eval">{text.chartEval}</span>}
        <span ref={readout} className="chart-readout numbers" aria-hidden />
      </figcaption>
      <div ref={place} className="chart-place" style={{ height }} aria-hidden />
      {losses.length === 0 && (
        <Text size="sm" c="dimmed" className="chart-empty">
          {text.chartEmpty}
        </Text>
      )}
      <VisuallyHidden id={table}>
        <table>
          <caption>{text.table.caption}</caption>
          <thead>
            <tr>
              <th scope="col">{text.table.step}</th>
              <th scope="col">{text.table.loss}</th>
              <th scope="col">{text.table.smooth}</th>
            </tr>
          </thead>
          <tbody>
            {spread(losses.length, tableRows).map((index) => (
              <tr key={index}>
                <td>{count(index + 1)}</td>
                <td>{decimal(losses[index] ?? Number.NaN, 4)}</td>
                <td>{decimal(smooth[index] ?? Number.NaN, 4)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </VisuallyHidden>
    </figure>
  );
}

function options(element: HTMLElement, readout: HTMLElement | null): uPlot.Options {
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
    scales: {
      x: { time: false },
      // uPlot hands out null where nothing is drawn yet.
      y: {
        range: (_plot, min: number | null, max: number | null) =>
          min === null || max === null ? [0, 1] : spanOf(min, max),
      },
    },
    axes: [
      { ...axis, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000], size: 26 },
      { ...axis, size: 44, values: (_plot, ticks) => ticks.map((tick) => String(Number(tick.toFixed(3)))) },
    ],
    series: [
      {},
      { stroke: colour("--chart-raw"), width: 1, points: { show: false } },
      { stroke: colour("--chart-smooth"), width: 2.5, points: { show: false } },
      {
        stroke: colour("--chart-eval"),
        paths: () => null,
        points: { show: true, size: 9, fill: colour("--chart-eval") },
      },
    ],
    hooks: {
      setCursor: [
        (plot) => {
          if (readout === null) return;
          const index = plot.cursor.idx;
          const loss = index === null || index === undefined ? null : plot.data[1]?.[index];
          readout.textContent =
            index === null || index === undefined || loss === null || loss === undefined
              ? ""
              : `${text.table.step} ${count(index)} · ${decimal(loss, 3)}`;
        },
      ],
    },
  };
}

/** A little air above and below, never below zero, and some height for a flat line. */
function spanOf(min: number, max: number): [number, number] {
  const air = Math.max(0.05, 0.08 * (max - min));
  return [Math.max(0, min - air), max + air];
}
