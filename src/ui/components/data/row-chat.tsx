/** A row as turns; what is learned is marked. */
import { Text } from "@mantine/core";
import type { RowView } from "../../../worker/protocol";
import { strings } from "../../strings";

const text = strings.data;

export function RowChat({ row }: { readonly row: RowView }) {
  return (
    <article className="row-chat" aria-label={text.rowName(row.row)}>
      <Text size="xs" c="dimmed" className="numbers" title={text.rowPlace(row.file, row.line)}>
        {text.rowName(row.row)}
      </Text>
      {row.problem !== null && <p className="row-problem">{row.problem}</p>}
      {row.turns === null ? (
        row.problem === null && (
          <Text size="sm" c="dimmed">
            {text.unreadable}
          </Text>
        )
      ) : (
        <ol className="turns">
          {row.turns.map((turn, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: turns have no identity but their place.
            <li key={index} className={turn.trained ? "turn trained" : "turn"}>
              <div className="turn-head">
                {text.role[turn.role]}
                {turn.trained && <span className="turn-mark">{text.learned}</span>}
              </div>
              <div className="turn-text">
                {turn.content === "" ? <span className="faint">{text.empty}</span> : turn.content}
              </div>
            </li>
          ))}
        </ol>
      )}
    </article>
  );
}
