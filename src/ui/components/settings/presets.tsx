/** The presets: three ready settings with their numbers, and what of them was changed. */
import { Button, SegmentedControl, Text } from "@mantine/core";
import { applyPreset, backToPreset } from "../../actions/settings";
import { presetNames, presets } from "../../stores/presets";
import { changedFields } from "../../stores/recipe";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";

const text = strings.settings.presets;

export function Presets() {
  const desk = useDesk();
  const preset = useStudio("recipe", (state) => state.preset);
  const changes = useStudio("recipe", (state) => changedFields(state).length);
  const { text: values, schedule } = presets[preset];
  const { label, hint } = text[preset];
  const scheduleName = Object.entries(strings.schedules).find(([key]) => key === schedule)?.[1] ?? schedule;
  return (
    <div className="presets">
      <SegmentedControl
        aria-label={text.label}
        value={preset}
        onChange={(value) => {
          const chosen = presetNames.find((name) => name === value);
          if (chosen !== undefined) applyPreset(desk, chosen);
        }}
        data={presetNames.map((name) => ({ value: name, label: text[name].label }))}
        fullWidth
      />
      <div className="presets-line">
        <Text size="xs" c="dimmed" className="numbers grow">
          {hint}.{" "}
          {text.figures(values.rank, values.alpha, values.epochs, scheduleName, values.warmupSteps, values.dropout)}
        </Text>
        <span className="presets-state">
          <Text span size="xs" fw={600} className="numbers" role="status">
            {changes === 0 ? text.asIs(label) : text.changed(label, changes)}
          </Text>
          {changes > 0 && (
            <Button size="compact-xs" variant="default" onClick={() => backToPreset(desk)}>
              {text.undo(label)}
            </Button>
          )}
        </span>
      </div>
    </div>
  );
}
