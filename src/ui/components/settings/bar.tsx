/** A bar of parts side by side. It is a picture only: the numbers stand beside it as text. */

export interface BarPart {
  readonly name: string;
  readonly value: number;
  /** One of the five colours. */
  readonly colour: 1 | 2 | 3 | 4 | 5;
}

interface Props {
  readonly parts: readonly BarPart[];
  /** What the bar's whole width stands for. */
  readonly whole: number;
  /** Where a line is drawn across it. */
  readonly limit?: number | undefined;
}

export function StackedBar({ parts, whole, limit }: Props) {
  const width = (value: number): string => `${whole > 0 ? (100 * value) / whole : 0}%`;
  return (
    <div className="stacked" aria-hidden>
      {parts.map(({ name, value, colour }) => (
        <span key={name} className={`stacked-part part-${colour}`} style={{ width: width(value) }} />
      ))}
      {limit !== undefined && limit < whole && <span className="stacked-limit" style={{ left: width(limit) }} />}
    </div>
  );
}
