/** What goes wrong in the run, with the likely cause and a remedy. It never stands in the way. */
import { Text } from "@mantine/core";
import { TriangleAlert } from "lucide-react";
import { useMemo } from "react";
import { runWarnings, type Warning, watchedStep } from "../../charts/warnings";
import { isRunning, type TrainingState } from "../../stores/training";
import { strings } from "../../strings";

const text = strings.run.warnings;

/** Looked for after every step at first, more seldom later, and once more at the end. */
export function useWarnings(training: TrainingState): readonly Warning[] {
  const { losses, norms, evals, steps, recipe } = training;
  const upTo = isRunning(training) ? watchedStep(losses.length) : losses.length;
  const warmupSteps = recipe?.warmupSteps ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what came since `upTo` waits for the next look.
  return useMemo(
    () => runWarnings({ losses: losses.slice(0, upTo), norms: norms.slice(0, upTo), evals, steps, warmupSteps }),
    [upTo, evals, steps, warmupSteps],
  );
}

export function RunWarnings({ warnings }: { readonly warnings: readonly Warning[] }) {
  if (warnings.length === 0) return null;
  return (
    <ul className="run-warnings" aria-label={text.title}>
      {warnings.map((warning) => {
        const { title, cause, remedy } = text.told(warning);
        return (
          <li key={warning.kind} className="verdict warn">
            <TriangleAlert size={18} aria-hidden />
            <div>
              <Text size="sm" fw={600}>
                {title}
              </Text>
              <Text size="sm" className="plain">
                {cause} {remedy}
              </Text>
            </div>
          </li>
        );
      })}
    </ul>
  );
}
