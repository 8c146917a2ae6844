/** What is wrong with rows, grouped by kind: how many, the first of them, and what can be done. */
import { Button, Group, Text, Title } from "@mantine/core";
import { Eye, RotateCcw, SkipForward } from "lucide-react";
import type { DatasetInfo, DatasetProblems, ProblemKind } from "../../../worker/protocol";
import { skipProblem } from "../../actions/data";
import { showPage } from "../../actions/rows";
import { isRunning } from "../../stores/training";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";
import { ChooseTemplate } from "./template";

const text = strings.data;
const examplesShown = 2;
/** Another chat template may mend these. */
const ofTemplate: readonly ProblemKind[] = ["template", "no-end"];
/** Where the views begin; "Show" leads there. */
export const viewsId = "data-rows";

export function DataProblems({ info }: { readonly info: DatasetInfo }) {
  if (info.problems.length === 0) return null;
  return (
    <div>
      <Title order={3} size="h6" mb={4}>
        {text.problems}
      </Title>
      <ul className="problems">
        {info.problems.map((group) => (
          <ProblemGroup key={group.kind} group={group} exact={info.exact} />
        ))}
      </ul>
    </div>
  );
}

interface GroupProps {
  readonly group: DatasetProblems;
  /** False: the counts are estimates. */
  readonly exact: boolean;
}

function ProblemGroup({ group, exact }: GroupProps) {
  const desk = useDesk();
  const running = useStudio("training", isRunning);
  const title = text.problemTitles[group.kind];
  const [first, rest] = [group.examples.slice(0, examplesShown), group.examples.slice(examplesShown)];
  const show = (): void => {
    void showPage(desk, { from: 0, problem: group.kind });
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const views = document.getElementById(viewsId);
    views?.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
    views?.focus({ preventScroll: true });
  };
  return (
    <li className={group.skipped ? "problem skipped" : "problem"}>
      <div className="problem-head">
        <Text size="sm" fw={600}>
          {title}
        </Text>
        <Text size="sm" className="numbers problem-count">
          {group.skipped ? text.problemSkipped(group.rows, exact) : text.problemRows(group.rows, exact)}
        </Text>
      </div>
      <Examples examples={first} />
      {rest.length > 0 && (
        <details className="small-details">
          <summary>{text.moreExamples(rest.length)}</summary>
          <Examples examples={rest} />
        </details>
      )}
      {group.kind !== "file" && (
        <Group gap={8} mt={6}>
          <Button
            variant="default"
            size="compact-sm"
            onClick={show}
            aria-label={text.showLabel(title)}
            leftSection={<Eye size={14} aria-hidden />}
          >
            {text.show}
          </Button>
          {ofTemplate.includes(group.kind) && !group.skipped && <ChooseTemplate disabled={running} />}
          <Button
            variant="default"
            size="compact-sm"
            disabled={running}
            onClick={() => void skipProblem(desk, group.kind, !group.skipped)}
            aria-label={group.skipped ? text.unskipLabel(title) : text.skipLabel(group.rows, exact, title)}
            leftSection={group.skipped ? <RotateCcw size={14} aria-hidden /> : <SkipForward size={14} aria-hidden />}
          >
            {group.skipped ? text.unskip : text.skip(group.rows, exact)}
          </Button>
        </Group>
      )}
    </li>
  );
}

function Examples({ examples }: Pick<DatasetProblems, "examples">) {
  return (
    <ul className="plain-list">
      {examples.map((example) => (
        <li key={`${example.file} ${example.row}`}>
          <Text size="xs" className="wrap">
            {example.message}
            {example.column !== null && ` (${text.problemPlace(example.column)})`}
          </Text>
          {example.excerpt !== "" && <code className="excerpt">{example.excerpt}</code>}
        </li>
      ))}
    </ul>
  );
}
