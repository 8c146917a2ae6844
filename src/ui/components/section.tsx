/** One step of the page: a landmark with its heading. */
import { Paper, Title } from "@mantine/core";
import { type ReactNode, useId } from "react";

interface Props {
  readonly id: string;
  readonly title: string;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}

export function Section({ id, title, aside, children }: Props) {
  const heading = useId();
  return (
    <Paper component="section" id={id} withBorder className="section" aria-labelledby={heading}>
      <div className="section-head">
        <Title order={2} size="h4" id={heading} tabIndex={-1}>
          {title}
        </Title>
        {aside}
      </div>
      {children}
    </Paper>
  );
}
