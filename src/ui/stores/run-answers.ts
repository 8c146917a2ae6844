/** What kept runs answered before they were trained and at last, from their logs. */
import type { SampleEvent } from "../../worker/protocol";
import type { LibraryState, RunLog } from "./library";

export interface QuestionEnds {
  readonly question: string;
  /** Null where it was not asked before the first step. */
  readonly first: SampleEvent | null;
  /** Null where it was asked before the first step only. */
  readonly last: SampleEvent | null;
}

/** By question, in the order in which they were asked. */
export function answerEnds(log: RunLog): readonly QuestionEnds[] {
  const samples = log.filter((event) => event.kind === "sample");
  return [...new Set(samples.map(({ prompt }) => prompt))].map((question) => {
    const answers = samples.filter(({ prompt }) => prompt === question);
    return {
      question,
      first: answers.find(({ step }) => step === 0) ?? null,
      last: answers.findLast(({ step }) => step > 0) ?? null,
    };
  });
}

/** Questions that two of these runs or more were asked, each with its ends by run. */
export function sharedQuestions(
  runs: readonly { readonly id: string }[],
  logs: LibraryState["logs"],
): readonly { readonly question: string; readonly ends: ReadonlyMap<string, QuestionEnds> }[] {
  const byQuestion = new Map<string, Map<string, QuestionEnds>>();
  for (const { id } of runs) {
    const log = logs[id];
    if (log?.state !== "ready") continue;
    for (const ends of answerEnds(log.value)) {
      const asked = byQuestion.get(ends.question) ?? new Map<string, QuestionEnds>();
      byQuestion.set(ends.question, asked.set(id, ends));
    }
  }
  return [...byQuestion].flatMap(([question, ends]) => (ends.size > 1 ? [{ question, ends }] : []));
}
