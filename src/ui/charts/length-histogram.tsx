/** Rows by their length in tokens, with the line where the max length cuts; a table says the same. */
import { VisuallyHidden } from "@mantine/core";
import { useId, useState } from "react";
import type { LengthHistogram as Histogram } from "../../worker/protocol";
import { count } from "../format";
import { strings } from "../strings";
import { cutPlace } from "./cut-place";

const text = strings.data.histogram;
const height = 88;
/** A bin with few rows stays visible beside one with many. */
const least = 2;

interface Props {
  readonly histogram: Histogram;
  readonly maxLength: number;
}

export function LengthHistogram({ histogram: { edges, counts }, maxLength }: Props) {
  const table = useId();
  const [over, setOver] = useState<number | null>(null);
  const most = Math.max(1, ...counts);
  const place = cutPlace(edges, maxLength);
  const cut = place === null ? null : (100 * place) / counts.length;
  const bin = (index: number): readonly [from: number, to: number] => {
    const from = edges[index] ?? 0;
    return [from, Math.max(from, (edges[index + 1] ?? from + 1) - 1)];
  };
  return (
    <figure className="chart" aria-label={text.title} aria-details={table}>
      <figcaption className="chart-head">
        <span>{text.title}</span>
        <span className="chart-readout numbers" aria-hidden>
          {over !== null ? (
            text.bin(...bin(over), counts[over] ?? 0)
          ) : cut === null ? (
            text.fits(maxLength)
          ) : (
            <span className="key key-cut">{text.cut(maxLength)}</span>
          )}
        </span>
      </figcaption>
      <div className="lengths" style={{ height }} aria-hidden>
        {counts.map((rows, index) => (
          // biome-ignore lint/a11y/noStaticElementInteractions: the readout is for the mouse; the table below has every number.
          <div
            key={edges[index]}
            className="lengths-bin"
            onMouseEnter={() => setOver(index)}
            onMouseLeave={() => setOver(null)}
          >
            <div
              className={(edges[index] ?? 0) > maxLength ? "lengths-bar beyond" : "lengths-bar"}
              style={{ height: rows === 0 ? 0 : Math.max(least, (height * rows) / most) }}
            />
          </div>
        ))}
        {cut !== null && <div className="lengths-cut" style={{ left: `${cut}%` }} />}
      </div>
      <div className="lengths-axis numbers" aria-hidden>
        <span>{count(edges[0] ?? 0)}</span>
        <span>{count(edges[Math.floor(edges.length / 2)] ?? 0)}</span>
        <span>{count(edges.at(-1) ?? 0)}</span>
      </div>
      <VisuallyHidden id={table}>
        <table>
          <caption>{text.caption(maxLength)}</caption>
          <thead>
            <tr>
              <th scope="col">{text.length}</th>
              <th scope="col">{text.rows}</th>
            </tr>
          </thead>
          <tbody>
            {counts.map((rows, index) => (
              <tr key={edges[index]}>
                <td>{text.range(...bin(index))}</td>
                <td>{count(rows)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </VisuallyHidden>
    </figure>
  );
}
