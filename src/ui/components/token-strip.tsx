/** A dataset row as the model sees it: learned tokens marked, context greyed; the mouse or the arrow keys tell a token's id. */
import { Button, Text } from "@mantine/core";
import { type KeyboardEvent, useId, useState } from "react";
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
  const id = useId();
  const [whole, setWhole] = useState(false);
  const [at, setAt] = useState<number | null>(null);
  const counted = row.tokens.filter((token) => token.counted).length;
  const tokens = whole ? row.tokens : row.tokens.slice(0, shownAtFirst);
  const current = at === null ? undefined : tokens[at];
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    setAt(step(at ?? -1, tokens.length - 1));
  };
  return (
    <article className="token-row" aria-label={text.rowName(row.row)}>
      <div className="token-head">
        <Text size="xs" c="dimmed" className="numbers" title={text.rowPlace(row.file, row.line)}>
          {text.rowName(row.row)}
        </Text>
        <Text size="xs" c="dimmed" className="numbers token-readout" aria-live="polite">
          {current === undefined
            ? text.tokenCounts(row.tokens.length, counted, row.length)
            : text.token(visible(current.text).trimEnd(), current.id, current.counted)}
        </Text>
      </div>
      {row.problem !== null && <p className="row-problem">{row.problem}</p>}
      {tokens.length > 0 && (
        <div
          role="listbox"
          tabIndex={0}
          aria-label={text.tokensOf(row.row)}
          aria-activedescendant={at === null ? undefined : `${id}-${at}`}
          aria-orientation="horizontal"
          className="tokens"
          onKeyDown={onKeyDown}
          onFocus={() => setAt((before) => before ?? 0)}
          onBlur={() => setAt(null)}
          onMouseLeave={() => setAt(null)}
        >
          {tokens.map((token, index) => (
            // biome-ignore lint/a11y/useFocusableInteractive: the listbox has the focus and names the active option.
            <span
              // biome-ignore lint/suspicious/noArrayIndexKey: tokens have no identity but their place.
              key={index}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === at}
              className={`token ${token.counted ? "counted" : "masked"}${index === at ? " current" : ""}`}
              onMouseEnter={() => setAt(index)}
            >
              {visible(token.text)}
            </span>
          ))}
          {tokens.length < row.tokens.length && <span aria-hidden> …</span>}
        </div>
      )}
      {row.tokens.length > shownAtFirst && (
        <Button size="compact-xs" variant="subtle" onClick={() => setWhole(!whole)} aria-expanded={whole}>
          {whole ? text.less : text.more}
        </Button>
      )}
    </article>
  );
}
