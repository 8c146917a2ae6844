/** The inputs of the settings form. Numbers are text, so that "2e-4" can be typed; errors stand below their field. */
import { Checkbox, Chip, Group, Input, NativeSelect, TextInput } from "@mantine/core";
import { editForm, editText, type Field, type Flag, type TextField } from "../stores/recipe";
import { strings } from "../strings";
import { useDesk, useStudio } from "../studio";

const idOf = (field: Field): string => `field-${field}`;

/** Opens what hides the field and puts the cursor into it. */
export function focusField(field: Field): void {
  const input = document.getElementById(idOf(field));
  input?.closest("details")?.setAttribute("open", "");
  input?.focus();
}

export function NumberField({ field, hint }: { readonly field: TextField; readonly hint?: string | undefined }) {
  const { recipe } = useDesk().stores;
  const value = useStudio("recipe", (state) => state.form.text[field]);
  const error = useStudio("recipe", (state) => state.errors[field]);
  return (
    <TextInput
      id={idOf(field)}
      label={strings.fields[field].label}
      description={hint ?? strings.fields[field].hint}
      value={value}
      error={error}
      onChange={(event) => editText(recipe, field, event.currentTarget.value)}
      inputMode="decimal"
      autoComplete="off"
      spellCheck={false}
      className="numbers"
    />
  );
}

/** How long to train: a number and its unit. */
export function LengthField() {
  const { recipe } = useDesk().stores;
  const unit = useStudio("recipe", (state) => state.form.lengthUnit);
  const value = useStudio("recipe", (state) => state.form.text[state.form.lengthUnit]);
  const error = useStudio("recipe", (state) => state.errors[state.form.lengthUnit]);
  return (
    <Input.Wrapper
      id={idOf(unit)}
      label={strings.train.length}
      description={strings.fields[unit].hint}
      error={error}
      className="numbers"
    >
      <Group gap={6} wrap="nowrap" align="flex-end">
        <Input
          id={idOf(unit)}
          value={value}
          error={error !== undefined}
          onChange={(event) => editText(recipe, unit, event.currentTarget.value)}
          inputMode="decimal"
          autoComplete="off"
          className="grow"
        />
        <NativeSelect
          aria-label={strings.train.lengthUnit}
          value={unit}
          onChange={(event) => {
            const lengthUnit = event.currentTarget.value === "steps" ? "steps" : "epochs";
            editForm(recipe, (form) => ({ ...form, lengthUnit }));
          }}
          data={[
            { value: "epochs", label: strings.train.unitEpochs },
            { value: "steps", label: strings.train.unitSteps },
          ]}
        />
      </Group>
    </Input.Wrapper>
  );
}

export function FlagField({ field }: { readonly field: Flag }) {
  const { recipe } = useDesk().stores;
  const checked = useStudio("recipe", (state) => state.form.flags[field]);
  return (
    <Checkbox
      id={idOf(field)}
      label={strings.fields[field].label}
      description={strings.fields[field].hint}
      checked={checked}
      onChange={(event) => {
        const { checked: value } = event.currentTarget;
        editForm(recipe, (form) => ({ ...form, flags: { ...form.flags, [field]: value } }));
      }}
    />
  );
}

export function ScheduleField() {
  const { recipe } = useDesk().stores;
  const value = useStudio("recipe", (state) => state.form.schedule);
  return (
    <NativeSelect
      id={idOf("schedule")}
      label={strings.fields.schedule.label}
      description={strings.fields.schedule.hint}
      value={value}
      onChange={(event) => {
        const schedule = event.currentTarget.value;
        editForm(recipe, (form) => ({ ...form, schedule }));
      }}
      data={Object.entries(strings.schedules).map(([key, label]) => ({ value: key, label }))}
    />
  );
}

export function TargetsField() {
  const { recipe } = useDesk().stores;
  const choices = useStudio("recipe", (state) => state.targetChoices);
  const chosen = useStudio("recipe", (state) => state.form.targets);
  const error = useStudio("recipe", (state) => state.errors.targetModules);
  const { label, hint } = strings.fields.targetModules;
  return (
    <fieldset className="targets" id={idOf("targetModules")} tabIndex={-1}>
      <legend>{label}</legend>
      <Input.Description>{hint}</Input.Description>
      <Chip.Group
        multiple
        value={[...chosen]}
        onChange={(targets) => editForm(recipe, (form) => ({ ...form, targets }))}
      >
        <Group gap={6} mt={6}>
          {choices.map((module) => (
            <Chip key={module} value={module} size="xs" radius="sm" variant="outline">
              {module}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
      {error !== undefined && (
        <Input.Error mt={6} role="alert">
          {error}
        </Input.Error>
      )}
    </fieldset>
  );
}
