/** The chat template: the model's, a built-in one, or the user's own Jinja with the first row rendered through it. */
import { Button, NativeSelect, Stack, Text, Textarea } from "@mantine/core";
import { MessageSquareText } from "lucide-react";
import { useState } from "react";
import type { Choice, DataOptions, DatasetInfo } from "../../../worker/protocol";
import { setOptions } from "../../actions/data";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";

const text = strings.data;
const fieldId = "data-template";

type Template = DataOptions["template"];

export function templateLabel(template: Template, named: readonly Choice[], hasTemplate: boolean): string {
  if (template.kind === "own") return text.templateOwn;
  if (template.kind === "named") return named.find(({ id }) => id === template.id)?.label ?? template.id;
  return hasTemplate ? text.templateModel : text.templateNone;
}

/** Leads to the field, and opens what hides it. */
export function ChooseTemplate({ disabled }: Pick<Props, "disabled">) {
  const lead = (): void => {
    const field = document.getElementById(fieldId);
    field?.closest("details")?.setAttribute("open", "");
    field?.scrollIntoView({ block: "center" });
    field?.focus({ preventScroll: true });
  };
  return (
    <Button
      variant="default"
      size="compact-sm"
      disabled={disabled}
      onClick={lead}
      leftSection={<MessageSquareText size={14} aria-hidden />}
    >
      {text.templateChoose}
    </Button>
  );
}

interface Props {
  readonly info: DatasetInfo;
  readonly hasTemplate: boolean;
  readonly disabled: boolean;
}

export function TemplateField({ info, hasTemplate, disabled }: Props) {
  const desk = useDesk();
  const template = useStudio("data", (state) => state.options.template);
  const [writing, setWriting] = useState(false);
  const own = template.kind === "own" || writing;
  const choose = (value: string): void => {
    setWriting(value === "own");
    if (value === "own") return;
    const id = value.slice("named:".length);
    void setOptions(desk, { template: value === "model" ? { kind: "model" } : { kind: "named", id } });
  };
  return (
    <Stack gap="xs">
      <NativeSelect
        id={fieldId}
        label={text.template}
        description={text.templateHint}
        value={own ? "own" : template.kind === "named" ? `named:${template.id}` : "model"}
        disabled={disabled}
        onChange={(event) => choose(event.currentTarget.value)}
        data={[
          { value: "model", label: hasTemplate ? text.templateModel : text.templateNone },
          ...info.templates.map(({ id, label }) => ({ value: `named:${id}`, label })),
          { value: "own", label: text.templateOwn },
        ]}
      />
      {own && <OwnTemplate info={info} disabled={disabled} />}
    </Stack>
  );
}

function OwnTemplate({ info, disabled }: Omit<Props, "hasTemplate">) {
  const desk = useDesk();
  const template = useStudio("data", (state) => state.options.template);
  const fresh = useStudio("data", (state) => state.info.state === "ready");
  const used = template.kind === "own" ? template.jinja : null;
  const [jinja, setJinja] = useState<string>(used ?? text.templateStart);
  const rendered = info.preview[0]?.tokens.map((token) => token.text).join("") ?? "";
  return (
    <>
      <Textarea
        label={text.templateText}
        description={text.templateTextHint}
        value={jinja}
        onChange={(event) => setJinja(event.currentTarget.value)}
        disabled={disabled}
        autosize
        minRows={4}
        maxRows={16}
        spellCheck={false}
        classNames={{ input: "code" }}
      />
      <Button
        size="xs"
        variant="default"
        disabled={disabled || jinja.trim() === "" || jinja === used}
        onClick={() => void setOptions(desk, { template: { kind: "own", jinja } })}
        className="start"
      >
        {text.templateUse}
      </Button>
      {used !== null && fresh && rendered !== "" && (
        <div>
          <Text size="sm" fw={600}>
            {text.templateExample}
          </Text>
          <pre className="rendered">{rendered}</pre>
        </div>
      )}
    </>
  );
}
