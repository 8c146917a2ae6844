/** What would make a run fit that does not: each setting with the bytes that it frees, and a button that turns it. */
import { Button, Text } from "@mantine/core";
import { turnKnob } from "../../actions/consequences";
import type { Relief } from "../../stores/consequences";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";
import { focusField } from "./fields";

const text = strings.settings.relief;

export function Reliefs() {
  const desk = useDesk();
  const reliefs = useStudio("consequences", (state) => state.reliefs);
  const budget = useStudio("picker", (state) => state.budget.bytes);
  const ranOut = useStudio("training", ({ phase, error }) => phase === "failed" && error?.code === "out-of-memory");
  if (reliefs === null) return null;
  return (
    <div className="reliefs verdict warn">
      <div>
        <Text size="sm" fw={600} role="status">
          {ranOut && `${text.outOfMemory} `}
          {text.title}
        </Text>
        {reliefs.length === 0 && (
          <Text size="sm" className="plain">
            {text.none}
          </Text>
        )}
        <ul className="plain-list">
          {reliefs.map((relief) => (
            <li key={relief.knob} className="relief">
              <span className="plain">
                <strong>{nameOf(relief)}</strong>{" "}
                <span className="numbers">
                  {text.frees(relief.freed)}, {relief.total <= budget ? text.fits : text.leaves(relief.total)}.
                </span>{" "}
                {text.costs[relief.knob]}
              </span>
              <Button
                size="compact-sm"
                variant="default"
                aria-label={`${text.turn}: ${nameOf(relief)}`}
                onClick={() => {
                  turnKnob(desk, relief);
                  // The row goes with the button; the field that it turned is what matters next.
                  focusField(relief.knob);
                }}
              >
                {text.turn}
              </Button>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}

function nameOf({ knob, text: texts }: Relief): string {
  return text.knobs[knob](texts[knob === "gradientCheckpointing" || knob === "pack" ? "rank" : knob] ?? "");
}
