/** The measured rows as a table, a page at a time: sorted by a press on a column, the difference drawn from a middle line. */
import { ActionIcon, Text, VisuallyHidden } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { ArrowDown, ArrowUp, ArrowUpDown, ChevronLeft, ChevronRight } from "lucide-react";
import { Fragment } from "react";
import type { RowLosses } from "../../../worker/protocol";
import { sortRowsBy } from "../../actions/row-losses";
import { pageOfRows } from "../../stores/row-losses";
import { difference, type Sort, type SortKey, sortRows, verdict } from "../../stores/row-order";
import { strings } from "../../strings";
import { useDesk } from "../../studio";

const text = strings.trial.rows;

interface Props {
  readonly rows: readonly RowLosses[];
  readonly sort: Sort;
  readonly page: number;
}

export function RowLossTable({ rows, sort, page }: Props) {
  // What is asked and answered takes a line of its own where there is no room beside the numbers.
  const narrow = useMediaQuery("(max-width: 600px)", false, { getInitialValueInEffect: false });
  const from = page * pageOfRows;
  const shown = sortRows(rows, sort).slice(from, from + pageOfRows);
  const widest = Math.max(...rows.map((row) => Math.abs(difference(row))).filter(Number.isFinite), 1e-9);
  return (
    <>
      <table className="measured numbers">
        <caption>
          <VisuallyHidden>
            {text.table}. {text.sortedBy(text.columns[sort.by], sort.descending)}.
          </VisuallyHidden>
        </caption>
        <thead>
          <tr>
            <Column by="row" sort={sort} />
            {!narrow && <th scope="col">{text.texts}</th>}
            <Column by="base" sort={sort} />
            <Column by="tuned" sort={sort} />
            <Column by="difference" sort={sort} />
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <Fragment key={row.row}>
              <tr>
                <th scope="row" title={text.place(row.file, row.line)}>
                  {text.line(row.line)}
                </th>
                {!narrow && (
                  <td>
                    <Texts row={row} />
                  </td>
                )}
                <td className="number">{text.loss(row.base)}</td>
                <td className="number">{text.loss(row.tuned)}</td>
                <td className="change">
                  <Change row={row} widest={widest} />
                </td>
              </tr>
              {narrow && (
                <tr className="measured-texts">
                  <td colSpan={4}>
                    <Texts row={row} />
                  </td>
                </tr>
              )}
            </Fragment>
          ))}
        </tbody>
      </table>
      {rows.length > pageOfRows && <Paging page={page} from={from} shown={shown.length} total={rows.length} />}
    </>
  );
}

function Column({ by, sort }: { readonly by: SortKey; readonly sort: Sort }) {
  const desk = useDesk();
  const sorted = sort.by === by;
  const Icon = !sorted ? ArrowUpDown : sort.descending ? ArrowDown : ArrowUp;
  const place = by === "row" ? undefined : by === "difference" ? "change number" : "number";
  return (
    <th scope="col" className={place} aria-sort={sorted ? (sort.descending ? "descending" : "ascending") : undefined}>
      <button type="button" className="sort" onClick={() => sortRowsBy(desk, by)}>
        {text.columns[by]}
        <Icon size={13} aria-hidden className={sorted ? undefined : "unsorted"} />
      </button>
    </th>
  );
}

function Texts({ row: { prompt, answer, truncated } }: { readonly row: RowLosses }) {
  return (
    <>
      <div className="clamp row-prompt">{prompt.trim() === "" ? text.noPrompt : prompt}</div>
      <div className="clamp row-answer">→ {answer}</div>
      {truncated && (
        <Text size="xs" className="row-cut">
          {text.cut}
        </Text>
      )}
    </>
  );
}

function Change({ row, widest }: { readonly row: RowLosses; readonly widest: number }) {
  const change = difference(row);
  const said = verdict(row);
  const share = Number.isFinite(change) ? Math.min(1, Math.abs(change) / widest) : 1;
  return (
    <div className="change-line">
      <div className="change-bar" aria-hidden>
        {said !== "same" && <span className={said} style={{ width: `${50 * share}%` }} />}
      </div>
      <div className="number">
        {text.difference(change)}
        <VisuallyHidden> {text.verdicts[said]}</VisuallyHidden>
      </div>
    </div>
  );
}

interface PagingProps {
  readonly page: number;
  readonly from: number;
  readonly shown: number;
  readonly total: number;
}

function Paging({ page, from, shown, total }: PagingProps) {
  const { rowLosses } = useDesk().stores;
  const steps = [
    { label: text.previous, to: page - 1, off: page === 0, Icon: ChevronLeft },
    { label: text.next, to: page + 1, off: from + shown >= total, Icon: ChevronRight },
  ] as const;
  return (
    <nav className="measured-pages" aria-label={text.pages}>
      <Text size="xs" c="dimmed" className="grow" role="status">
        {text.page(from + 1, from + shown, total)}
      </Text>
      {steps.map(({ label, to, off, Icon }) => (
        <ActionIcon
          key={label}
          variant="default"
          // Not `disabled`: the button that was pressed keeps the focus at either end.
          data-disabled={off}
          aria-disabled={off}
          onClick={() => !off && rowLosses.setState({ page: to })}
          aria-label={label}
          title={label}
        >
          <Icon size={16} aria-hidden />
        </ActionIcon>
      ))}
    </nav>
  );
}
