/** Names with values, as a description list in columns. */
import type { ReactNode } from "react";

export interface Fact {
  readonly name: string;
  readonly value: ReactNode;
  readonly large?: boolean;
}

interface Props {
  readonly facts: readonly Fact[];
  /** How narrow a column may become. */
  readonly columns?: "narrow" | "medium" | "wide";
}

export function Facts({ facts, columns = "medium" }: Props) {
  return (
    <dl className={`facts facts-${columns}`}>
      {facts.map(({ name, value, large }) => (
        <div key={name} className={large === true ? "fact fact-large" : "fact"}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
