/** Rows as the file has them: one column of the table for each column of the file. */
import { Text } from "@mantine/core";
import { Fragment } from "react";
import type { RowView } from "../../../worker/protocol";
import { strings } from "../../strings";

const text = strings.data;

interface Props {
  readonly rows: readonly RowView[];
  /** Say what is wrong with a row, below its cells. */
  readonly problems: boolean;
}

export function RowTable({ rows, problems }: Props) {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row.cells)))];
  return (
    <table className="rows">
      <thead>
        <tr>
          <th scope="col">{text.row}</th>
          {columns.map((column) => (
            <th key={column} scope="col">
              {column === "" ? text.wholeRow : column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Fragment key={row.row}>
            <tr>
              <th scope="row" className="numbers" title={text.rowPlace(row.file, row.line)}>
                {row.row + 1}
              </th>
              {columns.map((column) => {
                const cell = row.cells[column];
                return (
                  <td key={column}>
                    {cell === undefined || cell === "" ? (
                      <Text span size="xs" c="dimmed">
                        {cell === undefined ? "–" : text.empty}
                      </Text>
                    ) : (
                      <div className="clamp">{cell}</div>
                    )}
                  </td>
                );
              })}
            </tr>
            {problems && row.problem !== null && (
              <tr className="row-fault">
                <td colSpan={columns.length + 1}>
                  <div className="row-problem clamp">{row.problem}</div>
                </td>
              </tr>
            )}
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}
