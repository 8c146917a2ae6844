/** The two answers side by side, as text or as the tokens that they are made of. */
import { SegmentedControl, Text } from "@mantine/core";
import { useId } from "react";
import { type Answer, noAnswer } from "../../stores/trial";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";
import { answersMarkdown } from "../../trial-markdown";
import { TokenLine } from "../token-strip";
import { CopyMarkdown } from "./copy";

const text = strings.trial;

export function TryAnswers() {
  const { trial } = useDesk().stores;
  const { base, tuned, asked, view, running, strength } = useStudio("trial", (state) => state);
  const selected = useStudio("library", ({ runs, selected: id }) => runs.find((run) => run.id === id));
  const some = base !== noAnswer || tuned !== noAnswer;
  const tunedName =
    some && asked !== null
      ? asked.run === null
        ? null
        : text.tunedAs(asked.run, asked.strength)
      : selected === undefined
        ? null
        : text.tunedAs(selected.name, strength);
  return (
    <section aria-label={text.answers}>
      {some && (
        <div className="answers-head">
          <SegmentedControl
            size="xs"
            aria-label={text.view}
            value={view}
            onChange={(next) => trial.setState({ view: next === "tokens" ? "tokens" : "text" })}
            data={[
              { value: "text", label: text.views.text },
              { value: "tokens", label: text.views.tokens },
            ]}
          />
          {asked !== null && !running && (
            <CopyMarkdown label={text.copy.answers} make={() => answersMarkdown(asked, base, tuned)} />
          )}
        </div>
      )}
      <div className="answers">
        <AnswerBox title={text.base} answer={base} tokens={view === "tokens"} />
        {tunedName !== null && <AnswerBox title={tunedName} answer={tuned} tokens={view === "tokens"} tuned />}
      </div>
    </section>
  );
}

interface Props {
  readonly title: string;
  readonly answer: Answer;
  readonly tokens: boolean;
  readonly tuned?: boolean;
}

function AnswerBox({ title, answer, tokens, tuned = false }: Props) {
  const heading = useId();
  const { state, summary } = answer;
  const busy = state === "waiting" || state === "writing";
  return (
    <section className={tuned ? "answer tuned" : "answer"} aria-labelledby={heading} aria-busy={busy}>
      <Text component="h3" size="sm" fw={600} id={heading} className="wrap">
        {title}
      </Text>
      {tokens && summary !== null ? (
        <Tokens title={title} summary={summary} />
      ) : (
        <p className="answer-text" aria-live="polite">
          {state === "empty" && <span className="faint">{text.waiting}</span>}
          {tokens && busy ? (
            <span className="faint">{text.tokens.later}</span>
          ) : (
            <>
              {state === "waiting" && <span className="faint">{text.writing}</span>}
              {answer.text}
              {state === "done" && answer.text === "" && <span className="faint">{text.nothing}</span>}
              {state === "writing" && <span className="caret" aria-hidden />}
            </>
          )}
        </p>
      )}
      {summary !== null && (
        <Text size="xs" c="dimmed" className="numbers">
          {[
            text.speed(summary.tokens, summary.milliseconds > 0 ? (1000 * summary.tokens) / summary.milliseconds : 0),
            ...(summary.stopped === "length" ? [text.cut] : summary.stopped === "aborted" ? [text.aborted] : []),
          ].join(" · ")}
        </Text>
      )}
    </section>
  );
}

function Tokens({ title, summary }: { readonly title: string; readonly summary: NonNullable<Answer["summary"]> }) {
  const { promptTokens, answerTokens } = summary;
  return (
    <>
      <TokenLine
        name={text.views.tokens}
        tokens={[
          ...promptTokens.map((token) => ({ ...token, counted: false })),
          ...answerTokens.map((token) => ({ ...token, counted: true })),
        ]}
        list={text.tokens.list(title)}
        counts={text.tokens.counts(promptTokens.length, answerTokens.length)}
        told={text.tokens.one}
        spaces
        answerFrom={promptTokens.length}
      />
      <Text size="xs" component="div" c="dimmed" className="legend" mb={6}>
        <span className="token counted">{text.tokens.answer}</span>
        <span className="token masked">{text.tokens.prompt}</span>
        <span>{text.tokens.blank}</span>
      </Text>
    </>
  );
}
