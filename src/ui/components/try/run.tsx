/** Which run answers, and how strongly its adapter is applied. */
import { Group, NativeSelect, Slider, Text } from "@mantine/core";
import { selectRun } from "../../actions/library";
import { fits } from "../../stores/library";
import { mostStrength } from "../../stores/trial";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";

const text = strings.trial;

export function TryRun() {
  const desk = useDesk();
  const { runs, selected } = useStudio("library", (state) => state);
  const model = useStudio("model", (state) => state.model);
  const running = useStudio("trial", (state) => state.running);
  const fitting = runs.filter((run) => fits(run, model));
  const others = runs.filter((run) => !fits(run, model));
  const groups = [
    {
      group: text.fitting,
      items: fitting.map(({ id, name, dataset, created }) => ({
        value: id,
        label: text.runLabel(name, dataset, created),
      })),
    },
    {
      group: text.others,
      items: others.map(({ id, name, model: of }) => ({ value: id, label: text.otherLabel(name, of), disabled: true })),
    },
  ].filter(({ items }) => items.length > 0);
  return (
    <>
      <NativeSelect
        label={text.run}
        value={selected ?? ""}
        disabled={running}
        onChange={(event) => selectRun(desk, event.currentTarget.value)}
        data={[...(selected === null ? [{ value: "", label: text.noRun, disabled: true }] : []), ...groups]}
      />
      {selected !== null && <Strength />}
    </>
  );
}

function Strength() {
  const { trial } = useDesk().stores;
  const strength = useStudio("trial", (state) => state.strength);
  return (
    <div>
      <Group justify="space-between">
        <Text size="sm" fw={500}>
          {text.strength}
        </Text>
        <Text size="sm" className="numbers">
          {strength.toFixed(2)}
        </Text>
      </Group>
      <Text size="xs" c="dimmed">
        {text.strengthHint}
      </Text>
      <Slider
        min={0}
        max={mostStrength}
        step={0.05}
        value={strength}
        onChange={(next) => trial.setState({ strength: next })}
        label={null}
        thumbLabel={text.strength}
        marks={[
          { value: 0, label: "0" },
          { value: 0.5 },
          { value: 1, label: "1" },
          { value: mostStrength, label: String(mostStrength) },
        ]}
        mb="lg"
        mt={6}
        mx={6}
      />
    </div>
  );
}
