/** One kept run: what it was, how it went, what it changed of the run before, and what can be done with it. */
import { Badge, Button, Checkbox, Group, Text } from "@mantine/core";
import { ChevronDown, ChevronRight, Copy, Download, MessageSquare, Trash2 } from "lucide-react";
import { memo, type ReactNode, useId, useState } from "react";
import type { RunSummary } from "../../../worker/protocol";
import { chooseRun, duplicateRun, tryRun } from "../../actions/library";
import { readLogs } from "../../actions/library-compare";
import { downloadRun } from "../../actions/library-files";
import { Sparkline } from "../../charts/sparkline";
import { bytes, date } from "../../format";
import { fits } from "../../stores/library";
import { changesFrom, wasTrained } from "../../stores/run-settings";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";
import { LibraryAnswers } from "./answers";
import { LibraryName } from "./name";
import { LibraryNote } from "./note";

const text = strings.library;

interface Props {
  readonly run: RunSummary;
  /** The run that was trained before this one. */
  readonly before: RunSummary | null;
}

export const LibraryCard = memo(function Card({ run, before }: Props) {
  const desk = useDesk();
  const { id, name, dataset, model } = run;
  const chosen = useStudio("library", (state) => state.chosen.includes(id));
  const inTry = useStudio("library", (state) => state.selected === id);
  const fitting = useStudio("model", (state) => fits(run, state.model));
  const answers = useId();
  const [opened, setOpened] = useState(false);
  const toggle = (): void => {
    if (!opened) void readLogs(desk, [id]);
    setOpened(!opened);
  };
  return (
    <li className={chosen ? "run-card chosen-card" : "run-card"} data-run={id}>
      <div className="run-head">
        <Checkbox
          size="sm"
          checked={chosen}
          aria-label={text.choose(name)}
          onChange={(event) => chooseRun(desk, id, event.currentTarget.checked)}
        />
        <LibraryName run={run} />
        <Group gap={6} className="run-badges">
          {inTry && <Badge variant="light">{text.inTry}</Badge>}
          {run.state === "stopped" && <Badge variant="default">{text.stopped}</Badge>}
          {!fitting && (
            <Badge variant="default" tt="none" className="run-model">
              {text.forModel(model)}
            </Badge>
          )}
        </Group>
      </div>
      <div className="run-words">
        <Text size="sm" c="dimmed" className="wrap">
          {wasTrained(run) ? text.onData(dataset, model) : text.imported(model)}
        </Text>
        <Text size="xs" c="dimmed" className="numbers">
          {facts(run).join(" · ")}
        </Text>
        {before !== null && (
          <Text size="xs" className="wrap">
            {text.since(before.name, changesFrom(before, run))}
          </Text>
        )}
      </div>
      <Loss run={run} />
      <LibraryNote run={run} />
      <Actions run={run} fitting={fitting}>
        {wasTrained(run) && (
          <Button
            size="xs"
            variant="default"
            aria-expanded={opened}
            aria-controls={opened ? answers : undefined}
            aria-label={text.answers.label(name)}
            leftSection={opened ? <ChevronDown size={14} aria-hidden /> : <ChevronRight size={14} aria-hidden />}
            onClick={toggle}
          >
            {text.answers.show}
          </Button>
        )}
      </Actions>
      {opened && <LibraryAnswers run={run} id={answers} />}
    </li>
  );
});

const facts = (run: RunSummary): readonly string[] => [
  date(run.created),
  ...(wasTrained(run) ? [text.steps(run.steps), text.took(run.milliseconds)] : []),
  bytes(run.adapterBytes),
];

function Loss({ run: { losses, evalBefore, evalAfter } }: { readonly run: RunSummary }) {
  const last = losses.at(-1);
  if (last === undefined) {
    return (
      <Text size="xs" c="dimmed" className="run-curve">
        {text.noCurve}
      </Text>
    );
  }
  return (
    <div className="run-curve">
      <Sparkline losses={losses} />
      <Text size="xs" className="numbers">
        {text.finalLoss(last)}
      </Text>
      {evalBefore !== null && (
        <Text size="xs" className="numbers">
          {evalAfter === null ? strings.train.heldOutBefore(evalBefore) : strings.train.heldOut(evalBefore, evalAfter)}
        </Text>
      )}
    </div>
  );
}

interface ActionsProps {
  readonly run: RunSummary;
  readonly fitting: boolean;
  readonly children: ReactNode;
}

function Actions({ run, fitting, children }: ActionsProps) {
  const desk = useDesk();
  const { id, name, model } = run;
  const working = useStudio("library", (state) => state.working === id);
  return (
    <Group gap={6} className="run-actions">
      <Button
        size="xs"
        variant="default"
        disabled={!fitting}
        title={fitting ? undefined : text.otherModel(model)}
        aria-label={text.tryLabel(name)}
        leftSection={<MessageSquare size={14} aria-hidden />}
        onClick={() => tryRun(desk, id)}
      >
        {text.tryIt}
      </Button>
      {children}
      {wasTrained(run) && (
        <Button
          size="xs"
          variant="default"
          aria-label={text.duplicateLabel(name)}
          leftSection={<Copy size={14} aria-hidden />}
          onClick={() => duplicateRun(desk, run)}
        >
          {text.duplicate}
        </Button>
      )}
      <Button
        size="xs"
        variant="default"
        aria-label={text.downloadLabel(name)}
        loading={working}
        leftSection={<Download size={14} aria-hidden />}
        onClick={() => void downloadRun(desk, id)}
      >
        {text.download}
      </Button>
      <Button
        size="xs"
        variant="default"
        aria-label={text.removeLabel(name)}
        leftSection={<Trash2 size={14} aria-hidden />}
        onClick={() => desk.stores.library.setState({ confirming: [id] })}
      >
        {text.remove}
      </Button>
    </Group>
  );
}
