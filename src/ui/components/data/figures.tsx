/** What a run would see: totals, the lengths of the rows, and what stands in the way. */
import { Text } from "@mantine/core";
import { OctagonX } from "lucide-react";
import type { DatasetInfo } from "../../../worker/protocol";
import { LengthHistogram } from "../../charts/length-histogram";
import { count, short } from "../../format";
import { readerOf } from "../../stores/model";
import { isRunning } from "../../stores/training";
import { strings } from "../../strings";
import { useStudio } from "../../studio";
import { type Fact, Facts } from "../facts";
import { ChooseTemplate } from "./template";

const text = strings.data;

/** From a million on, rounded: more digits do not fit a column. */
const figure = (value: number): string => (value < 1e6 ? count(value) : short(value));

export function DataFigures({ info }: { readonly info: DatasetInfo }) {
  const share = info.tokens === 0 ? 0 : info.countedTokens / info.tokens;
  const facts: Fact[] = [
    { name: text.rows, value: figure(info.rows) },
    { name: text.tokens, value: figure(info.tokens) },
    { name: text.counted, value: text.countedShare(share) },
    { name: text.longest, value: count(info.longestRow) },
    { name: text.perEpoch, value: figure(info.stepsPerEpoch) },
  ];
  const some = (name: string, value: number): void => {
    if (value > 0) facts.push({ name, value: figure(value) });
  };
  if (info.examples !== info.rows) facts.push({ name: text.examples, value: figure(info.examples) });
  some(text.held, info.heldOutRows);
  some(text.truncated, info.truncatedRows);
  some(text.dropped, info.droppedRows);
  some(text.split, info.splitRows);
  some(text.duplicates, info.duplicateRows);
  return (
    <>
      {info.refusal !== null && <Refused info={info} refusal={info.refusal} />}
      <Facts columns="narrow" facts={facts} />
      {!info.exact && (
        <Text size="xs" c="dimmed" className="numbers">
          {text.estimated(info.surveyedRows)}
        </Text>
      )}
      {info.histogram.counts.some((rows) => rows > 0) && (
        <LengthHistogram histogram={info.histogram} maxLength={info.maxLength} />
      )}
    </>
  );
}

/** Where a chat meets a model without a template, the way out is a setting that is folded away: the button leads there. */
function Refused({ info, refusal }: { readonly info: DatasetInfo; readonly refusal: string }) {
  const running = useStudio("training", isRunning);
  const bare = useStudio("model", (state) => readerOf(state)?.hasChatTemplate === false);
  const own = useStudio("data", ({ shownOptions }) => shownOptions.template.kind === "model");
  const refused = info.problems.some(({ kind, skipped }) => kind === "template" && !skipped);
  return (
    <div role="alert" className="verdict bad">
      <OctagonX size={20} aria-hidden />
      <div>
        <Text size="sm" fw={600}>
          {text.refused}
        </Text>
        <Text size="sm" className="wrap plain">
          {refusal}
        </Text>
        {bare && own && refused && (
          <>
            <Text size="sm" mt={4} mb={8}>
              {text.templateMissing}
            </Text>
            <ChooseTemplate disabled={running} />
          </>
        )}
      </div>
    </div>
  );
}
