/** One uPlot of a number by step: its options, and what it is given to draw. Colours are read anew with every drawing. */
import uPlot from "uplot";
import { count } from "../format";
import { logTicks, rangeOf, thinned } from "./curve";

export interface PlotInput {
  /** By step, from step 1. */
  readonly values: readonly number[];
  /** The moving average of `values`; null where they are drawn as they are. */
  readonly smooth: readonly number[] | null;
  readonly points: readonly { readonly step: number; readonly loss: number }[];
  /** Steps to mark as no number. */
  readonly marks: readonly number[];
  /** The x axis ends here at least. */
  readonly steps: number;
  readonly window: number | null;
  readonly log: boolean;
  readonly clip: boolean;
  readonly fromZero: boolean;
  readonly format: (value: number, increment: number) => string;
}

export interface Drawn {
  readonly data: uPlot.AlignedData;
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
  readonly above: number;
}

/** Points that a curve has at most: more than pixels on a usual screen would not be seen. */
const mostPoints = 1500;

/** What is drawn of it: smoothed before, thinned here. */
export function prepare({ values, smooth, points, steps, window, log, clip, fromZero }: PlotInput): Drawn {
  const from = window === null ? 0 : Math.max(0, values.length - window);
  const inside = points.filter(({ step }) => step >= from && step <= Math.max(values.length, steps));
  const { min, max, above } = rangeOf(
    from === 0 ? values : values.slice(from),
    [
      ...inside.map(({ loss }) => loss),
      ...(smooth === null || smooth.length === 0 ? [] : [smooth.at(-1) ?? Number.NaN]),
    ],
    { clip, log, fromZero },
  );
  const shown = new Set(thinned(values, from, mostPoints).map((index) => index + 1));
  for (const { step } of inside) shown.add(step);
  const x = [...shown].sort((a, b) => a - b);
  const place = (value: number | undefined): number | null => {
    if (value === undefined || !Number.isFinite(value) || (log && value <= 0)) return null;
    return log ? Math.log10(value) : value;
  };
  const held = new Map(inside.map(({ step, loss }) => [step, loss]));
  return {
    data: [
      x,
      x.map((step) => place(values[step - 1])),
      x.map((step) => (smooth === null ? null : place(smooth[step - 1]))),
      x.map((step) => place(held.get(step))),
    ],
    x: window === null ? [0, Math.max(steps, values.length, 1)] : [from, Math.max(values.length, from + 1)],
    y: [min, max],
    above,
  };
}

const font = "12px system-ui, sans-serif";
const wholeSteps = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
];

let measuring: CanvasRenderingContext2D | null = null;

/** In CSS pixels, so that no label is cut. */
function widthOf(labels: readonly string[]): number {
  measuring ??= document.createElement("canvas").getContext("2d");
  if (measuring === null) return 8 * Math.max(0, ...labels.map(({ length }) => length));
  measuring.font = font;
  return Math.max(0, ...labels.map((label) => measuring?.measureText(label).width ?? 0));
}

interface Ways {
  readonly element: HTMLElement;
  readonly height: number;
  /** The latest of both, whenever it is drawn. */
  readonly input: () => PlotInput;
  readonly drawn: () => Drawn;
}

export function plotOptions({ element, height, input, drawn }: Ways): uPlot.Options {
  const colour = (name: string) => () => getComputedStyle(element).getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: colour("--chart-text"),
    grid: { stroke: colour("--chart-grid"), width: 1 },
    ticks: { show: false },
    font,
    gap: 6,
  };
  const none = () => null;
  return {
    width: Math.max(1, element.clientWidth),
    height,
    // Half of the last x label stands right of the plot.
    padding: [8, () => Math.ceil(widthOf([count(drawn().x[1])]) / 2) + 4, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false, setScale: false },
      points: { show: false },
      bind: {
        mousedown: none,
        mouseup: none,
        click: none,
        dblclick: none,
        mousemove: none,
        mouseleave: none,
        mouseenter: none,
      },
    },
    scales: { x: { time: false }, y: { range: () => [...drawn().y] } },
    axes: [
      {
        ...axis,
        incrs: wholeSteps,
        size: 26,
        space: (_plot, _axis, _min, max) => widthOf([count(max)]) + 20,
        values: (_plot, ticks) => ticks.map(count),
      },
      {
        ...axis,
        space: 26,
        size: (_plot, labels: readonly string[] | null) => Math.ceil(widthOf(labels ?? [])) + 12,
        splits: (plot, axisIndex, min, max, increment) =>
          input().log ? logTicks(min, max) : linearTicks(plot, axisIndex, min, max, increment),
        values: (_plot, ticks, _axis, _space, increment) =>
          ticks.map((tick) => (input().log ? shortPower(tick) : input().format(tick, increment))),
      },
    ],
    series: [
      {},
      // Alone it is the curve, beneath a smoothed one it steps back.
      {
        stroke: () => colour(input().smooth === null ? "--chart-smooth" : "--chart-raw")(),
        width: 1.25,
        points: { show: (_plot, _series, first, last) => last - first < 2, size: 5 },
      },
      { stroke: colour("--chart-smooth"), width: 2.5, points: { show: false } },
      {
        stroke: colour("--chart-eval"),
        paths: none,
        points: { show: true, size: 9, fill: colour("--chart-eval") },
      },
    ],
    hooks: { draw: [(plot) => drawMarks(plot, input(), colour("--bad")())] },
  };
}

function linearTicks(_plot: uPlot, _axis: number, min: number, max: number, increment: number): number[] {
  const ticks: number[] = [];
  const step = increment > 0 ? increment : (max - min) / 4;
  for (let at = Math.ceil(min / step - 1e-9); at * step <= max * (1 + 1e-12) && ticks.length < 50; at++)
    ticks.push(at * step || 0);
  return ticks;
}

function shortPower(exponent: number): string {
  const value = 10 ** exponent;
  if (value >= 1e5 || value < 1e-3) return value.toExponential(0);
  return String(Number(value.toPrecision(3)));
}

/** A dashed line with a cross on top where a number was none. */
function drawMarks(plot: uPlot, { marks }: PlotInput, colour: string): void {
  const { ctx, bbox } = plot;
  const [min, max] = [plot.scales["x"]?.min ?? 0, plot.scales["x"]?.max ?? 0];
  const unit = uPlot.pxRatio;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.lineWidth = unit;
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  ctx.font = `bold ${14 * unit}px system-ui, sans-serif`;
  for (const step of marks) {
    if (step < min || step > max) continue;
    const x = plot.valToPos(step, "x", true);
    ctx.setLineDash([4 * unit, 4 * unit]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top + 16 * unit);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText("×", x, bbox.top);
  }
  ctx.restore();
}
