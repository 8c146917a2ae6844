/** Questions that two compared runs or more were asked, with what each answered before and at last. */
import { Text } from "@mantine/core";
import { useMemo } from "react";
import type { RunSummary } from "../../../worker/protocol";
import { type QuestionEnds, sharedQuestions } from "../../stores/run-answers";
import { strings } from "../../strings";
import { useStudio } from "../../studio";
import { type Line, Lines } from "./compare-lines";

const text = strings.library.answers;

export function CompareAnswers({ runs }: { readonly runs: readonly RunSummary[] }) {
  const logs = useStudio("library", (state) => state.logs);
  const questions = useMemo(() => sharedQuestions(runs, logs), [runs, logs]);
  if (questions.length === 0) return null;
  return (
    <>
      <Text fw={600} size="sm" component="h3">
        {text.title}
      </Text>
      {questions.map(({ question, ends }) => (
        <Lines key={question} title={question} head={text.asked} runs={runs} lines={linesOf(ends)} wide />
      ))}
    </>
  );
}

const linesOf = (ends: ReadonlyMap<string, QuestionEnds>): readonly Line[] =>
  (["first", "last"] as const).map((end) => ({
    key: end,
    label: text.ends[end],
    value: ({ id }) => {
      const sample = ends.get(id)?.[end];
      return sample ? sample.text.trim() || strings.run.samples.nothing : strings.library.comparison.none;
    },
  }));
