/** A dataset row as the model sees it: learned tokens marked, context greyed; the mouse or the arrow keys tell a token's id. */
import { Button, Text } from "@mantine/core";
import { Fragment, type KeyboardEvent, useId, useState } from "react";
import type { RowView } from "../../worker/protocol";
import { strings } from "../strings";

const text = strings.data;
const shownAtFirst = 80;

/** Line breaks are shown and kept; a token that is nothing but blanks stays visible by its box. */
const visible = (token: string): string => token.replaceAll("\n", "↵\n").replaceAll("\t", "⇥\t");

const steps: Readonly<Record<string, (at: number, last: number) => number>> = {
  ArrowRight: (at, last) => Math.min(last, at + 1),
  ArrowLeft: (at) => Math.max(0, at - 1),
  Home: () => 0,
  End: (_at, last) => last,
};

export function TokenStrip({ row }: { readonly row: RowView }) {
  const counted = row.tokens.filter((token) => token.counted).length;
  return (
    <TokenLine
      name={text.rowName(row.row)}
      place={text.rowPlace(row.file, row.line)}
      problem={row.problem}
      tokens={row.tokens}
      list={text.tokensOf(row.row)}
      counts={text.tokenCounts(row.tokens.length, counted, row.length)}
      told={text.token}
    />
  );
}

interface Props {
  readonly name: string;
  readonly place?: string;
  readonly problem?: string | null;
  readonly tokens: RowView["tokens"];
  /** What the list is called. */
  readonly list: string;
  /** Said while no token is pointed at. */
  readonly counts: string;
  readonly told: (token: string, id: number, counted: boolean) => string;
  /** Spaces are drawn too. */
  readonly spaces?: boolean;
  /** Index of the first token of an answer, which is not cut along with a long prompt. */
  readonly answerFrom?: number;
}

export function TokenLine({ answerFrom = 0, tokens: all, list, counts, told, ...props }: Props) {
  const { name, place, problem = null, spaces = false } = props;
  const id = useId();
  const [whole, setWhole] = useState(false);
  const [at, setAt] = useState<number | null>(null);
  const prompt = all.slice(0, whole ? answerFrom : Math.min(answerFrom, shownAtFirst));
  const answer = all.slice(answerFrom, whole ? all.length : answerFrom + shownAtFirst);
  const tokens = [...prompt, ...answer];
  const cut = !whole && tokens.length < all.length;
  const current = at === null ? undefined : tokens[at];
  const drawn = (token: string): string => (spaces ? visible(token).replaceAll(" ", "·") : visible(token));
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    setAt(step(at ?? -1, tokens.length - 1));
  };
  return (
    <article className="token-row" aria-label={name}>
      <div className="token-head">
        <Text size="xs" c="dimmed" className="numbers" title={place}>
          {name}
        </Text>
        <Text size="xs" c="dimmed" className="numbers token-readout" aria-live="polite">
          {current === undefined ? counts : told(drawn(current.text).trimEnd(), current.id, current.counted)}
        </Text>
      </div>
      {problem !== null && <p className="row-problem">{problem}</p>}
      {tokens.length > 0 && (
        <div
          role="listbox"
          tabIndex={0}
          aria-label={list}
          aria-activedescendant={at === null ? undefined : `${id}-${at}`}
          aria-orientation="horizontal"
          className="tokens"
          onKeyDown={onKeyDown}
          onFocus={() => setAt((before) => before ?? 0)}
          onBlur={() => setAt(null)}
          onMouseLeave={() => setAt(null)}
        >
          {tokens.map((token, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: tokens have no identity but their place.
            <Fragment key={index}>
              {index === prompt.length && index < answerFrom && <span aria-hidden>… </span>}
              {/* biome-ignore lint/a11y/useFocusableInteractive: the listbox has the focus and names the active option. */}
              <span
                id={`${id}-${index}`}
                role="option"
                aria-selected={index === at}
                className={`token ${token.counted ? "counted" : "masked"}${index === at ? " current" : ""}`}
                onMouseEnter={() => setAt(index)}
              >
                {drawn(token.text)}
              </span>
              {spaces && <wbr />}
            </Fragment>
          ))}
          {cut && (answer.length === 0 || answerFrom + answer.length < all.length) && <span aria-hidden> …</span>}
        </div>
      )}
      {(whole ? Math.max(answerFrom, all.length - answerFrom) > shownAtFirst : cut) && (
        <Button size="compact-xs" variant="subtle" onClick={() => setWhole(!whole)} aria-expanded={whole}>
          {whole ? text.less : text.more}
        </Button>
      )}
    </article>
  );
}
