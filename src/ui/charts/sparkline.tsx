/** A run's losses in the height of a line of text. */
import { strings } from "../strings";
import { debiasedEma, spread } from "./ema";

const width = 96;
const height = 28;

export function Sparkline({ losses }: { readonly losses: readonly number[] }) {
  const smooth = debiasedEma(losses, losses.length > 20 ? 0.8 : 0).filter(Number.isFinite);
  const first = smooth[0];
  const last = smooth.at(-1);
  if (first === undefined || last === undefined) return null;
  const low = Math.min(...spread(smooth.length, width).map((index) => smooth[index] ?? 0));
  const high = Math.max(...spread(smooth.length, width).map((index) => smooth[index] ?? 0));
  const picked = spread(smooth.length, width);
  const points = picked.map((index, place) => {
    const x = picked.length === 1 ? width : (place / (picked.length - 1)) * (width - 4) + 2;
    const share = high === low ? 0.5 : (high - (smooth[index] ?? low)) / (high - low);
    return `${x.toFixed(1)},${(2 + share * (height - 4)).toFixed(1)}`;
  });
  const label = last <= first ? strings.library.sparkline(first, last) : strings.library.sparklineUp(first, last);
  return (
    <svg
      role="img"
      aria-label={label}
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      className="sparkline"
    >
      <polyline points={points.join(" ")} />
    </svg>
  );
}
