/** The look under way: how far it is, what is left, and how to end it. */
import { Button, Progress, Text } from "@mantine/core";
import type { ProgressEvent } from "../../../worker/protocol";
import { stopLooking } from "../../actions/data";
import { bytes, duration } from "../../format";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";

const text = strings.data;
/** What is left is not told before this: the first moments foretell nothing. */
const settled = 1500;

export function DataReading() {
  const desk = useDesk();
  const info = useStudio("data", (state) => state.info);
  const size = useStudio("data", (state) => state.bytes);
  const since = useStudio("data", (state) => state.since);
  if (info.state !== "busy") return null;
  const { progress } = info;
  const known = progress !== null && progress.total > 0;
  const label = progress === null ? text.reading : text.phase(progress.phase);
  return (
    <div className="reading">
      <div className="grow">
        <Text size="sm" component="div" className="reading-line">
          <span className="wrap">{label}</span>
          <Text span size="xs" c="dimmed" className="numbers">
            {known ? howFar(progress, size, since) : bytes(size)}
          </Text>
        </Text>
        <Progress
          value={known ? Math.min(100, (100 * progress.done) / progress.total) : 100}
          animated={!known}
          striped={!known}
          size="sm"
          aria-label={label}
          transitionDuration={0}
        />
      </div>
      <Button variant="default" size="compact-sm" onClick={() => stopLooking(desk)}>
        {text.cancel}
      </Button>
    </div>
  );
}

function howFar({ done, total, rows }: ProgressEvent, size: number, since: number): string {
  const elapsed = Date.now() - since;
  // Files are gone through by bytes, what follows by rows.
  const ofAll = text.done[total === size ? "bytes" : "rows"](done, total);
  const far = rows === undefined || rows === 0 ? ofAll : `${ofAll} · ${text.rowsFound(rows)}`;
  return elapsed > settled && done > 0 ? `${far} · ${text.left(duration((elapsed * (total - done)) / done))}` : far;
}
