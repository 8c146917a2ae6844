/** Which modules are adapted, what that trains, and what full fine-tuning would take instead. */
import { Button, Checkbox, Input, Text } from "@mantine/core";
import { backToDefault } from "../../actions/settings";
import { bytes, short } from "../../format";
import { readNumber } from "../../stores/number-text";
import { changedFields, editForm } from "../../stores/recipe";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";
import { type BarPart, StackedBar } from "./bar";

const text = strings.settings.targets;
const id = "field-targetModules";
/** Bytes for each trained parameter beside its own four: gradient and two moments in float32. */
const trainingBytes = 12;

export function TargetsField() {
  const desk = useDesk();
  const { recipe } = desk.stores;
  const choices = useStudio("recipe", (state) => state.targetChoices);
  const chosen = useStudio("recipe", (state) => state.form.targets);
  const error = useStudio("recipe", (state) => state.errors.targetModules);
  const changed = useStudio("recipe", (state) => changedFields(state).includes("targetModules"));
  const modules = useStudio("consequences", (state) => state.modules);
  const rank = useRank();
  const { label, hint } = strings.fields.targetModules;
  const toggle = (module: string, on: boolean): void =>
    editForm(recipe, (form) => ({
      ...form,
      targets: choices.filter((choice) => (choice === module ? on : form.targets.includes(choice))),
    }));
  return (
    <fieldset className="targets" id={id} tabIndex={-1}>
      <legend>{label}</legend>
      <div className="targets-hint">
        <Input.Description>{hint}</Input.Description>
        {changed && (
          <Button size="compact-xs" variant="default" onClick={() => backToDefault(desk, "targetModules", id)}>
            {strings.settings.backTo.all}
          </Button>
        )}
      </div>
      <div className="targets-choices">
        {choices.map((module) => {
          const sizes = modules.find((known) => known.module === module);
          return (
            <Checkbox
              key={module}
              size="xs"
              label={module}
              description={sizes === undefined ? "–" : text.parameters(rank * sizes.perRank)}
              checked={chosen.includes(module)}
              onChange={(event) => toggle(module, event.currentTarget.checked)}
              className="numbers"
            />
          );
        })}
      </div>
      {error !== undefined && (
        <Input.Error mt={6} role="alert">
          {error}
        </Input.Error>
      )}
      <Gain />
    </fieldset>
  );
}

/** As typed; the default's where that is no rank. */
function useRank(): number {
  const typed = useStudio("recipe", (state) => state.form.text.rank);
  const value = readNumber(typed).value;
  return value !== null && Number.isInteger(value) && value >= 1 && value <= 1024 ? value : 8;
}

/** What LoRA trains and takes beside what full fine-tuning would. */
function Gain() {
  const model = useStudio("model", (state) => (state.model.state === "ready" ? state.model.value : state.standing));
  const modules = useStudio("consequences", (state) => state.modules);
  const chosen = useStudio("recipe", (state) => state.form.targets);
  const rank = useRank();
  if (model === null || modules.length === 0) {
    return (
      <Text size="sm" c="dimmed" className="gain-place">
        {text.unknown}
      </Text>
    );
  }
  const perRank = modules.reduce((sum, { module, perRank: one }) => sum + (chosen.includes(module) ? one : 0), 0);
  const trained = rank * perRank;
  // On the GPU a rank is rounded up to a multiple of four.
  const held = 4 * Math.ceil(rank / 4) * perRank;
  const ways = [
    { name: text.lora, trained, weights: model.weightBytes, training: 4 * held + trainingBytes * held },
    {
      name: text.full,
      trained: model.parameters,
      weights: 4 * model.parameters,
      training: trainingBytes * model.parameters,
    },
  ].map((way) => ({ ...way, total: way.weights + way.training }));
  const [lora, full] = ways;
  const whole = Math.max(...ways.map(({ total }) => total));
  return (
    <div className="gain-place">
      <Text size="sm" className="numbers">
        {text.sum(trained, model.parameters)}
      </Text>
      <table className="gain">
        <caption>{text.caption}</caption>
        <thead>
          <tr>
            <th scope="col">{text.columns.way}</th>
            <th scope="col">{text.columns.trained}</th>
            <th scope="col">{text.columns.weights}</th>
            <th scope="col">{text.columns.training}</th>
            <th scope="col">{text.columns.sum}</th>
          </tr>
        </thead>
        {ways.map(({ name, trained: count, weights, training, total }) => {
          const parts: readonly BarPart[] = [
            { name: text.columns.weights, value: weights, colour: 1 },
            { name: text.columns.training, value: training, colour: 2 },
          ];
          return (
            <tbody key={name}>
              <tr>
                <th scope="row">{name}</th>
                <td>{short(count)}</td>
                <td className="key part-key-1">{bytes(weights)}</td>
                <td className="key part-key-2">{bytes(training)}</td>
                <td>{bytes(total)}</td>
              </tr>
              <tr aria-hidden>
                <td colSpan={5}>
                  <StackedBar parts={parts} whole={whole} />
                </td>
              </tr>
            </tbody>
          );
        })}
      </table>
      <Text size="xs" c="dimmed">
        {text.fullNote} {lora !== undefined && full !== undefined && text.gain(full.total / lora.total)}
      </Text>
    </div>
  );
}
