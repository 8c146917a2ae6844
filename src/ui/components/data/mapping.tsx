/** The mapping dialog: what the rows are, which column holds which field, and the first row read that way. */
import { Button, Group, NativeSelect, Stack, Text } from "@mantine/core";
import { CircleCheck, CircleDashed, Lightbulb } from "lucide-react";
import { useState } from "react";
import type { ColumnMapping, DatasetInfo, ShapeInfo } from "../../../worker/protocol";
import { setOptions } from "../../actions/data";
import { missingFields, readRow, startingMapping } from "../../mapping";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";
import { Dialog } from "../dialog";

const text = strings.data.mapping;
const none = "";

interface Props {
  readonly info: DatasetInfo;
  readonly onClose: () => void;
}

/** Mounted when it opens, so that it begins with the columns as they are then. */
export function MappingDialog({ info, onClose }: Props) {
  const desk = useDesk();
  const chosen = useStudio("data", (state) => state.options.mapping);
  const [mapping, setMapping] = useState(() => startingMapping(info, chosen));
  const [touched, setTouched] = useState(false);
  const shape = info.shapes.find(({ id }) => id === mapping.shape);
  const missing = shape === undefined ? [text.shape] : missingFields(shape, mapping, info.columns);
  const guessed = !touched && chosen === null && info.suggestion !== null;
  const edit = (next: ColumnMapping): void => {
    setTouched(true);
    setMapping(next);
  };
  const use = (next: ColumnMapping | null): void => {
    onClose();
    void setOptions(desk, { mapping: next });
  };
  return (
    <Dialog opened onClose={onClose} title={text.title}>
      <Stack gap="md">
        {guessed && (
          <Group gap={8} wrap="nowrap" className="warning">
            <Lightbulb size={18} aria-hidden className="no-shrink" />
            <Text size="sm">{text.guess}</Text>
          </Group>
        )}
        <NativeSelect
          label={text.shape}
          value={mapping.shape}
          onChange={(event) => edit(startingMapping(info, { shape: event.currentTarget.value, columns: {} }))}
          data={info.shapes.map(({ id, label }) => ({ value: id, label }))}
          data-autofocus
        />
        {shape !== undefined && (
          <Fields
            shape={shape}
            mapping={mapping}
            columns={info.columns}
            onChange={(columns) => edit({ ...mapping, columns })}
          />
        )}
        {shape !== undefined && <Example info={info} shape={shape} mapping={mapping} />}
        <Group gap={8} role="status" wrap="nowrap">
          {missing.length === 0 ? <CircleCheck size={18} aria-hidden /> : <CircleDashed size={18} aria-hidden />}
          <Text size="sm" fw={600}>
            {missing.length === 0 ? text.ready : text.missing(missing)}
          </Text>
        </Group>
        <Group justify="flex-end" gap="xs">
          {chosen !== null && (
            <Button variant="subtle" onClick={() => use(null)}>
              {text.detect}
            </Button>
          )}
          <Button variant="default" onClick={onClose}>
            {text.cancel}
          </Button>
          <Button disabled={missing.length > 0} onClick={() => use(mapping)}>
            {text.use}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

interface FieldsProps {
  readonly shape: ShapeInfo;
  readonly mapping: ColumnMapping;
  readonly columns: readonly string[];
  readonly onChange: (columns: ColumnMapping["columns"]) => void;
}

function Fields({ shape, mapping, columns, onChange }: FieldsProps) {
  return (
    <div className="mapping-fields">
      {shape.fields.map(({ name, label, required }) => {
        const { [name]: column, ...others } = mapping.columns;
        return (
          <NativeSelect
            key={name}
            label={label}
            description={required ? undefined : text.optional}
            inputWrapperOrder={["label", "input", "description"]}
            withAsterisk={required}
            value={column !== undefined && columns.includes(column) ? column : none}
            onChange={(event) => {
              const { value } = event.currentTarget;
              onChange(value === none ? others : { ...others, [name]: value });
            }}
            data={[
              { value: none, label: required ? text.choose : text.none },
              ...columns.map((each) => ({ value: each, label: each })),
            ]}
          />
        );
      })}
    </div>
  );
}

function Example({ info, shape, mapping }: Omit<FieldsProps, "columns" | "onChange"> & { readonly info: DatasetInfo }) {
  const fields = readRow(info, shape, mapping);
  if (fields.length === 0) return null;
  return (
    <section aria-label={text.example} aria-live="polite">
      <Text size="sm" fw={600} mb={4}>
        {text.example}
      </Text>
      <dl className="mapping-example">
        {fields.map(({ label, value }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd className={value === "" ? "faint" : undefined}>{value === "" ? text.nothing : value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
