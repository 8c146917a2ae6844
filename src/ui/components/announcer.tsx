/** Tells screen readers how the run goes: each change of phase, and every ten per cent, not every step. */
import { VisuallyHidden } from "@mantine/core";
import { useRef } from "react";
import { phaseName, type TrainingState } from "../stores/training";
import { strings } from "../strings";

export function Announcer({ training }: { readonly training: TrainingState }) {
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
    <VisuallyHidden role="status">
      {said}
      {phase === "training" && spoken.current.sentence}
    </VisuallyHidden>
  );
}
