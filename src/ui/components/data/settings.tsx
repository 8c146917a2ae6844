/** How rows become examples: the chat template, what is learned, and what becomes of rows that are too long. Folded; the summary says what holds. */
import { Radio, Stack, Text } from "@mantine/core";
import { TriangleAlert } from "lucide-react";
import { lossChoices, tooLongPolicies } from "../../../worker/client";
import type { DataOptions, DatasetInfo } from "../../../worker/protocol";
import { setOptions } from "../../actions/data";
import { readerOf } from "../../stores/model";
import { isRunning } from "../../stores/training";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";
import { TemplateField, templateLabel } from "./template";

const text = strings.data;

export function DataSettings({ info }: { readonly info: DatasetInfo }) {
  const options = useStudio("data", (state) => state.options);
  const hasTemplate = useStudio("model", (state) => readerOf(state)?.hasChatTemplate !== false);
  const running = useStudio("training", isRunning);
  const label = templateLabel(options.template, info.templates, hasTemplate);
  const summary = text.settingsSummary(label, text.lossOn[options.lossOn].label, text.tooLong[options.tooLong].label);
  const warning = info.templateWarning ?? null;
  return (
    <>
      <details className="advanced">
        <summary>
          {text.settings}
          <Text span size="xs" c="dimmed" className="summary-line">
            {summary}
          </Text>
        </summary>
        <Stack gap="md">
          <TemplateField info={info} hasTemplate={hasTemplate} disabled={running} />
          <LossField disabled={running} value={options.lossOn} />
          <TooLongField disabled={running} value={options.tooLong} info={info} />
        </Stack>
      </details>
      {warning !== null && (
        <div role="status" className="verdict warn">
          <TriangleAlert size={20} aria-hidden />
          <Text size="sm" className="wrap plain">
            {warning}
          </Text>
        </div>
      )}
    </>
  );
}

function LossField({ disabled, value }: { readonly disabled: boolean; readonly value: DataOptions["lossOn"] }) {
  const desk = useDesk();
  return (
    <Radio.Group label={text.lossOnLabel} value={value}>
      <div className="choices">
        {lossChoices.map((choice) => (
          <Radio
            key={choice}
            value={choice}
            disabled={disabled}
            size="sm"
            label={text.lossOn[choice].label}
            description={text.lossOn[choice].hint}
            onChange={() => void setOptions(desk, { lossOn: choice })}
          />
        ))}
      </div>
    </Radio.Group>
  );
}

interface TooLongProps {
  readonly disabled: boolean;
  readonly value: DataOptions["tooLong"];
  readonly info: DatasetInfo;
}

function TooLongField({ disabled, value, info }: TooLongProps) {
  const desk = useDesk();
  const made = useStudio("data", (state) => state.shownOptions.tooLong);
  const over = overLong(info, made);
  return (
    <Radio.Group label={text.tooLongLabel} description={text.overLong(over, info.maxLength)} value={value}>
      <div className="choices">
        {tooLongPolicies.map((policy) => {
          const { label, hint, outcome } = text.tooLong[policy];
          return (
            <Radio
              key={policy}
              value={policy}
              disabled={disabled}
              size="sm"
              label={
                <>
                  {label}
                  {policy === made && over > 0 && <strong className="numbers">: {outcome(over)}</strong>}
                </>
              }
              description={hint}
              onChange={() => void setOptions(desk, { tooLong: policy })}
            />
          );
        })}
      </div>
    </Radio.Group>
  );
}

/** Rows over the max length, by what the policy of that look did with them. */
function overLong(info: DatasetInfo, policy: DataOptions["tooLong"]): number {
  if (policy === "drop") return info.droppedRows;
  if (policy === "split") return info.splitRows;
  if (policy === "error") return info.problems.find(({ kind }) => kind === "too-long")?.rows ?? 0;
  return info.truncatedRows;
}
