/** What a kept run answered to its questions before it was trained and at last, side by side. */
import { Text } from "@mantine/core";
import { useMemo } from "react";
import type { RunSummary } from "../../../worker/protocol";
import { answerEnds } from "../../stores/run-answers";
import { strings } from "../../strings";
import { useStudio } from "../../studio";
import { Answer } from "../run/samples";

const text = strings.library.answers;

export function LibraryAnswers({ run, id }: { readonly run: RunSummary; readonly id: string }) {
  const log = useStudio("library", (state) => state.logs[run.id]);
  const questions = useMemo(() => (log?.state === "ready" ? answerEnds(log.value) : []), [log]);
  return (
    <section id={id} className="run-ends" aria-label={text.region(run.name)} aria-busy={log?.state === "busy"}>
      {questions.map(({ question, first, last }) => (
        <div key={question}>
          <Text size="sm" className="run-question wrap">
            {question}
          </Text>
          <div className="run-pair">
            {first !== null && <Answer step={first.step} answer={first.text} before={null} />}
            {last !== null && <Answer step={last.step} answer={last.text} before={first?.text ?? null} />}
          </div>
        </div>
      ))}
      {log?.state === "failed" ? (
        <Text size="sm" c="red" role="alert" className="wrap">
          {log.error.message}
        </Text>
      ) : (
        questions.length === 0 && (
          <Text size="sm" c="dimmed" role="status">
            {log?.state === "ready" ? text.none : text.reading}
          </Text>
        )
      )}
    </section>
  );
}
