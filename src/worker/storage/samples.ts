/** Bounds what a run keeps of its sample answers: long questions asked often would outweigh the adapter. */
import type { RunLogEvent, SampleEvent } from "../protocol";

/** Characters of all questions and answers of a run: 200 kB where they take two bytes each. */
export const mostSampleCharacters = 100_000;

/** The log with no more answers than that: steps in between go first, then whole questions, the last one first. */
export function boundedLog(log: readonly RunLogEvent[], most = mostSampleCharacters): readonly RunLogEvent[] {
  const samples = log.filter((event) => event.kind === "sample");
  if (characters(samples) <= most) return log;
  const kept = new Set(bounded(samples, most));
  return log.filter((event) => event.kind !== "sample" || kept.has(event));
}

function bounded(samples: readonly SampleEvent[], most: number): readonly SampleEvent[] {
  const steps = [...new Set(samples.map(({ step }) => step))].sort((a, b) => a - b);
  const last = steps.length - 1;
  // Every second step, every fourth, …: what is left is spread over the whole run, its beginning and end among them.
  for (let stride = 2; stride < 2 * steps.length; stride *= 2) {
    const left = new Set(steps.filter((_, index) => index % stride === 0 || index === last));
    const thinned = samples.filter(({ step }) => left.has(step));
    if (characters(thinned) <= most) return thinned;
  }
  const ends = samples.filter(({ step }) => step === steps[0] || step === steps[last]);
  const questions = [...new Set(ends.map(({ prompt }) => prompt))];
  for (let count = questions.length; count > 0; count--) {
    const asked = new Set(questions.slice(0, count));
    const fewer = ends.filter(({ prompt }) => asked.has(prompt));
    if (characters(fewer) <= most) return fewer;
  }
  return [];
}

const characters = (samples: readonly SampleEvent[]): number =>
  samples.reduce((sum, { prompt, text }) => sum + prompt.length + text.length, 0);
