/** The inputs of the settings form. Numbers are text, so that "2e-4" can be typed; errors stand below their field. */
import { Checkbox, Input, NativeSelect, TextInput, VisuallyHidden } from "@mantine/core";
import { RotateCcw } from "lucide-react";
import { type FocusEvent, type ReactNode, useEffect, useState } from "react";
import { backToDefault } from "../../actions/settings";
import {
  changedFields,
  defaultText,
  editForm,
  editText,
  type Field,
  type Flag,
  type TextField,
} from "../../stores/recipe";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";

const idOf = (field: Field): string => `field-${field}`;
const text = strings.settings;

/** Opens what hides the field and puts the cursor into it. */
export function focusField(field: Field): void {
  const input = document.getElementById(idOf(field));
  input?.closest("details")?.setAttribute("open", "");
  input?.focus();
}

const helpOf = (field: Field): string => text.help(strings.fields[field].hint, strings.fields[field].range);

/** Milliseconds without a key after which a wrong text is told although the cursor is still in the field. */
const pause = 500;

/** The error once the field was left or the typing has paused; it goes as soon as the text is right. */
export function useTold(error: string | undefined, value: string) {
  const [told, setTold] = useState<string | undefined>(error === undefined ? undefined : value);
  useEffect(() => {
    const timer = setTimeout(() => setTold(value), pause);
    return () => clearTimeout(timer);
  }, [value]);
  return { error: told === value ? error : undefined, onBlur: (_: FocusEvent) => setTold(value) };
}

function useToldError(field: Field, value: string) {
  return useTold(
    useStudio("recipe", (state) => state.errors[field]),
    value,
  );
}

const useChanged = (field: Field): boolean => useStudio("recipe", (state) => changedFields(state).includes(field));

/** The field's way back, where it differs from preset or default. */
function Back({ field, to }: { readonly field: Field; readonly to: string }) {
  const desk = useDesk();
  const changed = useChanged(field);
  if (!changed) return null;
  return (
    <button type="button" className="field-back" title={to} onClick={() => backToDefault(desk, field, idOf(field))}>
      <RotateCcw size={14} aria-hidden />
      <VisuallyHidden>
        {to}
        {text.backOf(strings.fields[field].label)}
      </VisuallyHidden>
    </button>
  );
}

function FieldEnd({ field, to }: { readonly field: Field; readonly to: string }) {
  const { unit } = strings.fields[field];
  return (
    <span className="field-end">
      <Back field={field} to={to} />
      {unit !== "" && <span>{unit}</span>}
    </span>
  );
}

interface NumberProps {
  readonly field: TextField;
  readonly hint?: string | undefined;
}

export function NumberField({ field, hint }: NumberProps) {
  const { recipe } = useDesk().stores;
  const value = useStudio("recipe", (state) => state.form.text[field]);
  const start = useStudio("recipe", (state) => defaultText(state, field));
  const { error, onBlur } = useToldError(field, value);
  const { unit, range } = strings.fields[field];
  const to = field === "maxLength" ? text.backTo.data : text.back(start);
  return (
    <TextInput
      id={idOf(field)}
      label={strings.fields[field].label}
      description={hint === undefined ? helpOf(field) : text.help(hint, range)}
      value={value}
      error={error}
      onChange={(event) => editText(recipe, field, event.currentTarget.value)}
      onBlur={onBlur}
      inputMode="decimal"
      autoComplete="off"
      spellCheck={false}
      rightSection={<FieldEnd field={field} to={to} />}
      rightSectionWidth={unit === "" ? 32 : 84}
      rightSectionPointerEvents="all"
      className="numbers"
    />
  );
}

/** How long to train: a number and its unit. */
export function LengthField() {
  const { recipe } = useDesk().stores;
  const unit = useStudio("recipe", (state) => state.form.lengthUnit);
  const value = useStudio("recipe", (state) => state.form.text[state.form.lengthUnit]);
  const epochs = useStudio("recipe", (state) => defaultText(state, "epochs"));
  const { error, onBlur } = useToldError(unit, value);
  return (
    <Input.Wrapper
      id={idOf(unit)}
      label={strings.train.length}
      description={helpOf(unit)}
      error={error}
      className="numbers"
    >
      <div className="length-line">
        <Input
          id={idOf(unit)}
          value={value}
          error={error !== undefined}
          onChange={(event) => editText(recipe, unit, event.currentTarget.value)}
          onBlur={onBlur}
          inputMode="decimal"
          autoComplete="off"
          rightSection={<FieldEnd field={unit} to={text.back(`${epochs} ${strings.train.unitEpochs}`)} />}
          rightSectionWidth={32}
          rightSectionPointerEvents="all"
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
      </div>
    </Input.Wrapper>
  );
}

export function FlagField({ field }: { readonly field: Flag }) {
  const { recipe } = useDesk().stores;
  const checked = useStudio("recipe", (state) => state.form.flags[field]);
  return (
    <WithBack field={field} to={checked ? text.backTo.off : text.backTo.on}>
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
    </WithBack>
  );
}

interface WithBackProps {
  readonly field: Field;
  readonly to: string;
  readonly children: ReactNode;
}

function WithBack({ field, to, children }: WithBackProps) {
  return (
    <div className="with-back">
      {children}
      <Back field={field} to={to} />
    </div>
  );
}

export function ScheduleField() {
  const { recipe } = useDesk().stores;
  const value = useStudio("recipe", (state) => state.form.schedule);
  return (
    <WithBack field="schedule" to={text.backTo.preset}>
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
        className="grow"
      />
    </WithBack>
  );
}
