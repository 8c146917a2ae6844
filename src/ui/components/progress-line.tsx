/** A thin bar with words beside it. The bar is decoration where the total is unknown. */
import { Progress, Text } from "@mantine/core";
import type { ProgressEvent } from "../../worker/protocol";

interface Props {
  readonly label: string;
  readonly progress: Pick<ProgressEvent, "done" | "total"> | null;
}

export function ProgressLine({ label, progress }: Props) {
  const known = progress !== null && progress.total > 0;
  const value = known ? Math.min(100, (100 * progress.done) / progress.total) : 100;
  return (
    <div className="progress-line">
      <Text size="sm" role="status">
        {label}
      </Text>
      <Progress value={value} animated={!known} striped={!known} size="sm" aria-label={label} transitionDuration={0} />
    </div>
  );
}
