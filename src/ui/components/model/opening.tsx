/** A model on its way: bytes, speed, what is left, the file; then the weights and the check, in the same place. */
import { Button, Progress, Text, VisuallyHidden } from "@mantine/core";
import type { ProgressEvent } from "../../../worker/protocol";
import { stopOpening } from "../../actions/model";
import type { Opening } from "../../stores/picker";
import { strings } from "../../strings";
import { useDesk } from "../../studio";
import { useLostFocus } from "../lost-focus";
import { phaseLabel } from "./facts";

const text = strings.model.download;

interface Props {
  readonly opening: Extract<Opening, { readonly state: "busy" }>;
  readonly name: string;
}

export function OpeningLine({ opening: { progress, stopping }, name }: Props) {
  const desk = useDesk();
  const cancel = useLostFocus<HTMLButtonElement>();
  const known = progress !== null && progress.total > 0;
  const label = stopping ? text.stopping : labelOf(progress);
  return (
    <div className="opening">
      <Text size="sm" className="wrap opening-label">
        {label}
      </Text>
      <Button
        ref={cancel}
        variant="default"
        size="xs"
        disabled={stopping}
        aria-label={text.cancelLabel(name)}
        onClick={() => stopOpening(desk)}
      >
        {text.cancel}
      </Button>
      <Progress
        value={known ? Math.min(100, (100 * progress.done) / progress.total) : 100}
        animated={!known}
        striped={!known}
        size="sm"
        aria-label={label}
        transitionDuration={0}
        className="opening-bar"
      />
      <Text size="xs" c="dimmed" className="numbers opening-figures">
        {progress !== null && figures(progress)}
      </Text>
      <Spoken progress={progress} stopping={stopping} />
    </div>
  );
}

function labelOf(progress: ProgressEvent | null): string {
  if (progress === null) return text.starting;
  const { download, phase } = progress;
  return download === undefined ? phaseLabel(phase) : text.stages[download.stage](download.file);
}

function figures({ download, done, total }: ProgressEvent): string {
  if (download === undefined) return total > 0 ? text.percent(done, total) : "";
  const { bytesPerSecond, secondsLeft } = download;
  return [
    text.far(download.done, download.total ?? 0),
    ...(bytesPerSecond === null ? [] : [text.speed(bytesPerSecond)]),
    ...(secondsLeft === null ? [] : [text.left(secondsLeft)]),
  ].join(" · ");
}

/** Each phase, and every ten per cent of a download; not every number. */
function Spoken({ progress, stopping }: Omit<Props["opening"], "state">) {
  const download = progress?.download;
  const tenths =
    download === undefined || download.stage === "checking" || download.total === null || download.total === 0
      ? 0
      : Math.floor((10 * download.done) / download.total);
  return (
    <VisuallyHidden role="status">
      {stopping ? text.stopping : labelOf(progress)} {tenths > 0 && !stopping && text.spoken(tenths)}
    </VisuallyHidden>
  );
}
