/** A dataset row as the model sees it: learned tokens marked, context greyed. Read aloud it is plain text. */
import { Button, Text } from "@mantine/core";
import { useState } from "react";
import type { DatasetInfo } from "../../worker/protocol";
import { strings } from "../strings";

const shownAtFirst = 80;

/** Line breaks are shown and kept; a token that is nothing but blanks stays visible by its box. */
const visible = (text: string): string => text.replaceAll("\n", "↵\n").replaceAll("\t", "⇥\t");

export function TokenStrip({ row }: { readonly row: DatasetInfo["preview"][number] }) {
  const [whole, setWhole] = useState(false);
  const counted = row.tokens.filter((token) => token.counted).length;
  const tokens = whole ? row.tokens : row.tokens.slice(0, shownAtFirst);
  return (
    <div className="token-row">
      <Text size="xs" c="dimmed" className="numbers">
        {strings.data.line(row.line, row.tokens.length, counted)}
      </Text>
      <p className="tokens">
        {tokens.map((token, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: tokens have no identity but their place.
          <span key={index} className={token.counted ? "token counted" : "token masked"}>
            {visible(token.text)}
          </span>
        ))}
        {tokens.length < row.tokens.length && " …"}
      </p>
      {row.tokens.length > shownAtFirst && (
        <Button size="compact-xs" variant="subtle" onClick={() => setWhole(!whole)} aria-expanded={whole}>
          {whole ? strings.data.less : strings.data.more}
        </Button>
      )}
    </div>
  );
}
