/** The settings of the next run: presets, six that matter, the rest folded away, and what all of it leads to. */
import { Text } from "@mantine/core";
import { Duplicated } from "../components/library/duplicated";
import { FlagField, LengthField, NumberField, ScheduleField } from "../components/settings/fields";
import { Presets } from "../components/settings/presets";
import { RateSlider } from "../components/settings/rate";
import { ShareSettings } from "../components/settings/share";
import { Takes } from "../components/settings/takes";
import { TargetsField } from "../components/settings/targets";
import { readerOf } from "../stores/model";
import { changedFields, type Field } from "../stores/recipe";
import { strings } from "../strings";
import { useStudio } from "../studio";

/** Those behind Advanced. */
const advanced: ReadonlySet<Field> = new Set<Field>([
  "batchSize",
  "gradientAccumulation",
  "schedule",
  "warmupSteps",
  "dropout",
  "weightDecay",
  "clip",
  "seed",
  "shuffle",
  "pack",
  "rslora",
  "gradientCheckpointing",
]);

export function Settings() {
  const suggested = useStudio("model", (state) => readerOf(state)?.defaultLearningRate ?? null);
  const changes = useStudio("recipe", (state) => changedFields(state).filter((field) => advanced.has(field)).length);
  return (
    <div className="settings">
      <div className="settings-fields">
        <Duplicated />
        <Presets />
        <div className="field-grid">
          <NumberField field="rank" />
          <NumberField field="alpha" />
          <div>
            <NumberField
              field="learningRate"
              hint={suggested === null ? undefined : strings.train.suggested(String(suggested))}
            />
            <RateSlider />
          </div>
          <LengthField />
          <NumberField field="maxLength" />
        </div>
        <TargetsField />
        <details className="advanced">
          <summary>
            <span>{strings.train.advanced}</span>{" "}
            {changes > 0 && (
              <Text span size="xs" c="dimmed" className="numbers">
                {strings.settings.advancedChanged(changes)}
              </Text>
            )}
          </summary>
          <div className="field-grid">
            <NumberField field="batchSize" />
            <NumberField field="gradientAccumulation" />
            <ScheduleField />
            <NumberField field="warmupSteps" />
            <NumberField field="dropout" />
            <NumberField field="weightDecay" />
            <NumberField field="clip" />
            <NumberField field="seed" />
          </div>
          <div className="flags">
            <FlagField field="shuffle" />
            <FlagField field="pack" />
            <FlagField field="rslora" />
            <FlagField field="gradientCheckpointing" />
          </div>
        </details>
      </div>
      <div className="settings-side">
        <Takes />
        <ShareSettings />
      </div>
    </div>
  );
}
