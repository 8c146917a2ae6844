/** A table with a column for each compared run, and a line for each thing that is said of them. */
import type { RunSummary } from "../../../worker/protocol";

export interface Line {
  readonly key: string;
  readonly label: string;
  readonly value: (run: RunSummary) => string;
}

interface LinesProps {
  readonly title: string;
  readonly head: string;
  readonly runs: readonly RunSummary[];
  readonly lines: readonly Line[];
  /** The cells hold sentences. */
  readonly wide?: boolean;
}

export function Lines({ title, head, runs, lines, wide = false }: LinesProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reached by keyboard.
    <section className="comparison-scroll" tabIndex={0} aria-label={title}>
      <table className={wide ? "comparison-table wide" : "comparison-table numbers"}>
        <caption>{title}</caption>
        <thead>
          <tr>
            <th scope="col">{head}</th>
            {runs.map(({ id, name }, index) => (
              <th key={id} scope="col" className="wrap">
                <span className={`compare-key compare-${index}`} aria-hidden />
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map(({ key, label, value }) => (
            <tr key={key}>
              <th scope="row">{label}</th>
              {runs.map((run) => (
                <td key={run.id} className="wrap">
                  {value(run)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
