/** Tells screen readers how the run goes: each change of phase, every ten per cent and each new warning, not every step. */
import { VisuallyHidden } from "@mantine/core";
import { useRef } from "react";
import type { Warning } from "../../charts/warnings";
import { phaseName, type TrainingState } from "../../stores/training";
import { strings } from "../../strings";
import { useStudio } from "../../studio";
import { useWarnings } from "../run/warnings";

interface Props {
  readonly training: TrainingState;
  readonly warnings: readonly Warning[];
}

/** In every step of the page: a run goes on behind. */
export function Announced() {
  const training = useStudio("training", (state) => state);
  return <Announcer training={training} warnings={useWarnings(training)} />;
}

function Announcer({ training, warnings }: Props) {
  const { phase, step, steps, losses } = training;
  const spoken = useRef({ tenth: 0, sentence: "" });
  const tenth = steps > 0 ? Math.floor((10 * step) / steps) : 0;
  const loss = losses.at(-1);
  if (tenth !== spoken.current.tenth) {
    spoken.current = {
      tenth,
      sentence: tenth > 0 && loss !== undefined ? strings.train.announce(10 * tenth, loss) : "",
    };
  }
  const said = phase === "idle" ? "" : `${phaseName(training)}. `;
  return (
    <>
      <VisuallyHidden role="status">
        {said}
        {phase === "training" && spoken.current.sentence}
      </VisuallyHidden>
      <Warned warnings={warnings} />
    </>
  );
}

/** A warning is spoken once; its figures change with every look, and its words stay as they were first said. */
function Warned({ warnings }: Pick<Props, "warnings">) {
  const words = useRef(new Map<Warning["kind"], string>());
  for (const warning of warnings) {
    if (!words.current.has(warning.kind)) words.current.set(warning.kind, strings.run.warnings.announce(warning));
  }
  return (
    <VisuallyHidden role="status" aria-atomic={false}>
      {warnings.map(({ kind }) => (
        <span key={kind}>{words.current.get(kind)}</span>
      ))}
    </VisuallyHidden>
  );
}
