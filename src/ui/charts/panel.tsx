/** One chart of a run. All charts of a run share the cursor: what one points at, all read out. */

import { useComputedColorScheme } from "@mantine/core";
import { type ReactNode, useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import { useStore } from "zustand";
import { createStore, type StoreApi } from "zustand/vanilla";
import { strings } from "../strings";
import { oncePerFrame } from "./frame";
import { type Drawn, type PlotInput, plotOptions, prepare } from "./plot";

const text = strings.run.charts;

export type Cursor = StoreApi<{ readonly step: number | null }>;
export const createCursor = (): Cursor => createStore(() => ({ step: null }));

interface Props {
  readonly title: string;
  readonly height: number;
  readonly input: PlotInput;
  readonly cursor: Cursor;
  /** What the chart says of a step. */
  readonly read: (step: number) => string;
  /** Beside the title. */
  readonly keys?: ReactNode;
  readonly details: string;
  readonly children?: ReactNode;
}

export function Panel({ title, height, input, cursor, read, keys, details, children }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef(input);
  const ask = useRef<() => void>(() => undefined);
  const [above, setAbove] = useState(0);
  const scheme = useComputedColorScheme();

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    let drawn: Drawn = prepare(latest.current);
    const plot = new uPlot(
      plotOptions({ element, height, input: () => latest.current, drawn: () => drawn }),
      [[], [], [], []],
      element,
    );
    const follow = (): void => {
      const { step } = cursor.getState();
      plot.setCursor(step === null ? { left: -10, top: -10 } : { left: plot.valToPos(step, "x"), top: 1 }, false);
    };
    const frame = oncePerFrame(() => {
      drawn = prepare(latest.current);
      plot.batch(() => {
        plot.setData(drawn.data, false);
        plot.setScale("x", { min: drawn.x[0], max: drawn.x[1] });
      });
      setAbove(drawn.above);
      follow();
    });
    ask.current = frame.ask;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0) plot.setSize({ width: element.clientWidth, height });
      frame.ask();
    });
    observer.observe(element);
    const point = (event: PointerEvent): void => {
      const left = event.clientX - plot.over.getBoundingClientRect().left;
      const step = Math.round(plot.posToVal(left, "x"));
      const most = latest.current.values.length;
      cursor.setState({ step: most === 0 ? null : Math.min(most, Math.max(1, step)) });
    };
    const leave = (): void => cursor.setState({ step: null });
    plot.over.addEventListener("pointermove", point);
    plot.over.addEventListener("pointerdown", point);
    plot.over.addEventListener("pointerleave", leave);
    const unsubscribe = cursor.subscribe(follow);
    frame.ask();
    return () => {
      unsubscribe();
      observer.disconnect();
      frame.cancel();
      ask.current = () => undefined;
      plot.destroy();
    };
  }, [height, cursor]);

  // A change of scheme changes no data: the colours are read when it is drawn.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the scheme changes what is drawn.
  useEffect(() => {
    latest.current = input;
    ask.current();
  }, [input, scheme]);

  return (
    <figure className="chart" aria-details={details}>
      <figcaption className="chart-head">
        <span className="chart-title">{title}</span>
        {keys}
        {above > 0 && <span>{text.above(above)}</span>}
        {input.marks.length > 0 && <span className="chart-mark">{text.marked(input.marks.length)}</span>}
        <Readout cursor={cursor} read={read} />
      </figcaption>
      <div className="chart-frame">
        <div ref={place} className="chart-place" style={{ height }} aria-hidden />
        {children}
      </div>
    </figure>
  );
}

/** Draws again with the cursor, and the chart around it does not. */
function Readout({ cursor, read }: Pick<Props, "cursor" | "read">) {
  const step = useStore(cursor, (state) => state.step);
  return (
    <span className="chart-readout numbers" aria-hidden>
      {step === null ? "" : read(step)}
    </span>
  );
}

interface ReaderProps {
  readonly cursor: Cursor;
  readonly steps: number;
  /** All charts' values at a step. */
  readonly read: (step: number) => string;
}

/** The cursor by keyboard: arrows go step by step, with Page Up and Down by a tenth; Escape puts it away. */
export function Reader({ cursor, steps, read }: ReaderProps) {
  const step = useStore(cursor, (state) => state.step);
  const now = Math.min(step ?? steps, steps);
  const go = (to: number): void => cursor.setState({ step: Math.min(steps, Math.max(1, to)) });
  const tenth = Math.max(1, Math.round(steps / 10));
  const keys: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => go(now - 1),
    ArrowDown: () => go(now - 1),
    ArrowRight: () => go(now + 1),
    ArrowUp: () => go(now + 1),
    PageDown: () => go(now - tenth),
    PageUp: () => go(now + tenth),
    Home: () => go(1),
    End: () => go(steps),
    Escape: () => cursor.setState({ step: null }),
  };
  return (
    <div
      className="chart-reader"
      role="slider"
      tabIndex={0}
      aria-label={text.reader}
      aria-valuemin={1}
      aria-valuemax={steps}
      aria-valuenow={now}
      aria-valuetext={read(now)}
      onKeyDown={(event) => {
        const act = keys[event.key];
        if (act === undefined) return;
        event.preventDefault();
        act();
      }}
      onBlur={() => cursor.setState({ step: null })}
    />
  );
}
