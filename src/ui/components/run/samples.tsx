/** What the model answered before the run and on the way, side by side by step. */
import { Text } from "@mantine/core";
import { useEffect, useRef } from "react";
import type { Sample, TrainingState } from "../../stores/training";
import { strings } from "../../strings";

const text = strings.run.samples;

export function RunSamples({ training }: { readonly training: TrainingState }) {
  const { samples, samplesSkipped } = training;
  if (samples.length === 0 && samplesSkipped === null) return null;
  const questions = [...new Set(samples.map(({ prompt }) => prompt))];
  return (
    <section className="run-samples" aria-label={text.title}>
      <Text component="h4" size="sm" fw={600}>
        {text.title}
      </Text>
      {questions.map((question) => (
        <Answers key={question} question={question} samples={samples.filter(({ prompt }) => prompt === question)} />
      ))}
      {samplesSkipped !== null && (
        <Text size="sm" c="dimmed" className="wrap">
          {text.skipped} {samplesSkipped.message}
        </Text>
      )}
    </section>
  );
}

function Answers({ question, samples }: { readonly question: string; readonly samples: readonly Sample[] }) {
  const place = useRef<HTMLElement>(null);
  const atEnd = useRef(true);
  // The newest comes into view beside the first, unless the user looks at another.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it goes on with every new answer.
  useEffect(() => {
    if (place.current !== null && atEnd.current) place.current.scrollLeft = place.current.scrollWidth;
  }, [samples.length]);
  return (
    <div>
      <Text size="sm" className="run-question wrap">
        {question}
      </Text>
      <section
        ref={place}
        className="run-answers"
        aria-label={text.region(question)}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reached by keyboard.
        tabIndex={0}
        onScroll={({ currentTarget: { scrollLeft, scrollWidth, clientWidth } }) => {
          atEnd.current = scrollLeft + clientWidth >= scrollWidth - 8;
        }}
      >
        {samples.map(({ step, text: answer }, index) => (
          <Answer key={step} step={step} answer={answer} before={samples[index - 1]?.text ?? null} />
        ))}
      </section>
    </div>
  );
}

interface AnswerProps {
  readonly step: number;
  readonly answer: string;
  /** The answer that stands left of it. */
  readonly before: string | null;
}

export function Answer({ step, answer, before }: AnswerProps) {
  return (
    <div className="run-answer">
      <Text size="xs" c="dimmed" className="numbers">
        {step === 0 ? text.before : text.step(step)}
      </Text>
      <Text size="sm" className="run-answer-text wrap">
        {answer.trim() === "" ? <i>{text.nothing}</i> : answer === before ? <i>{text.same}</i> : answer}
      </Text>
    </div>
  );
}
