/** The settings of the next run: six that matter, the rest folded away. */
import { FlagField, LengthField, NumberField, ScheduleField, TargetsField } from "../components/fields";
import { strings } from "../strings";
import { useStudio } from "../studio";

export function Settings() {
  const suggested = useStudio("model", ({ model }) =>
    model.state === "ready" ? model.value.defaultLearningRate : null,
  );
  return (
    <div className="settings">
      <div className="field-grid">
        <NumberField field="rank" />
        <NumberField field="alpha" />
        <NumberField
          field="learningRate"
          hint={suggested === null ? undefined : strings.train.suggested(String(suggested))}
        />
        <LengthField />
        <NumberField field="maxLength" />
      </div>
      <TargetsField />
      <details className="advanced">
        <summary>{strings.train.advanced}</summary>
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
  );
}
