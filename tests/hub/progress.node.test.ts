/** Bytes, speed and time left of a download. */
import { describe, expect, it } from "vitest";
import { progressMeter } from "../../src/hub/progress";
import type { DownloadProgress } from "../../src/hub/types";

function run(sizes: [string, number | null][], rate: (second: number) => number, seconds: number) {
  let time = 0;
  const events: DownloadProgress[] = [];
  const meter = progressMeter(
    new Map(sizes),
    (event) => events.push(event),
    () => time,
  );
  meter.begin("a", sizes[0]?.[1] ?? null, 0);
  for (let tick = 1; tick <= seconds * 20; tick++) {
    time = tick * 50;
    meter.add(rate(time / 1000) / 20);
  }
  return { events, meter };
}

describe("progress", () => {
  it("gives a steady speed from the first second on, and the time left that follows", () => {
    const { events } = run([["a", 10_000_000]], () => 1_000_000, 5);
    const { bytesPerSecond, secondsLeft, done } = events.at(-1) ?? {};
    expect(bytesPerSecond).toBeCloseTo(1_000_000, -4);
    expect(secondsLeft).toBeCloseTo((10_000_000 - (done ?? 0)) / 1_000_000, 1);
    expect(events.filter((event) => event.bytesPerSecond !== null)[0]?.bytesPerSecond).toBeCloseTo(1_000_000, -5);
  });

  it("follows a change within some seconds, and no single gap", () => {
    const fall =
      run([["a", 1e8]], (second) => (second < 5 ? 4_000_000 : 1_000_000), 20).events.at(-1)?.bytesPerSecond ?? 0;
    expect(fall).toBeGreaterThan(950_000);
    expect(fall).toBeLessThan(1_100_000);
    const gap = run([["a", 1e8]], (second) => (second > 9.5 ? 0 : 1_000_000), 10).events.at(-1)?.bytesPerSecond ?? 0;
    expect(gap).toBeGreaterThan(800_000);
  });

  it("does not count as speed what was here before, and knows no total where a size is missing", () => {
    let time = 0;
    const events: DownloadProgress[] = [];
    const meter = progressMeter(
      new Map([
        ["a", 1000],
        ["b", null],
      ]),
      (event) => events.push(event),
      () => time,
    );
    meter.begin("a", 1000, 1000);
    time = 1000;
    meter.begin("b", null, 0);
    expect(events.at(-1)).toMatchObject({ file: "b", done: 1000, total: null, secondsLeft: null, bytesPerSecond: 0 });
    meter.size(500);
    meter.add(500);
    meter.end();
    expect(events.at(-1)).toMatchObject({ done: 1500, total: 1500 });
  });

  it("tells at most ten times a second", () => {
    expect(run([["a", 1e8]], () => 1_000_000, 10).events.length).toBeLessThanOrEqual(101);
  });
});
