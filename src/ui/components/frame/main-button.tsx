/** The page's one main button: it trains, or says what is missing and leads there. */
import { Button } from "@mantine/core";
import { Play, Wrench } from "lucide-react";
import { goToField } from "../../actions/route";
import { train } from "../../actions/train";
import { type Readiness, readiness } from "../../stores/readiness";
import { useDesk, useStudio } from "../../studio";

export function useReadiness(): Readiness {
  const device = useStudio("device", (state) => state);
  const model = useStudio("model", (state) => state);
  const data = useStudio("data", (state) => state);
  const recipe = useStudio("recipe", (state) => state);
  const trial = useStudio("trial", (state) => state);
  const rowLosses = useStudio("rowLosses", (state) => state);
  return readiness({ device, model, data, recipe, trial, rowLosses });
}

interface Props {
  readonly ready: Readiness;
  readonly size?: "md" | "lg";
  /** Of the element that says why it is off. */
  readonly reason?: string | undefined;
}

export function MainButton({ ready, size = "md", reason }: Props) {
  const desk = useDesk();
  const fix = ready.kind === "fix";
  return (
    <Button
      size={size}
      disabled={ready.kind === "blocked" || ready.kind === "waiting"}
      onClick={() => (fix ? goToField(desk, ready.field) : void train(desk))}
      leftSection={fix ? <Wrench size={16} aria-hidden /> : <Play size={16} aria-hidden />}
      className="main-button"
      aria-describedby={reason}
      data-main
    >
      {ready.label}
    </Button>
  );
}
