/** The runs kept in this browser: choose one to try, download it, delete it. */
import { Badge, Button, Group, Modal, Text } from "@mantine/core";
import { Check, Download, Trash2 } from "lucide-react";
import type { RunSummary } from "../../worker/protocol";
import { deleteRun, downloadRun, refreshLibrary } from "../actions/library";
import { Sparkline } from "../charts/sparkline";
import { ErrorNote } from "../components/error-note";
import { Section } from "../components/section";
import { bytes, date, decimal } from "../format";
import { fits } from "../stores/library";
import { isRunning } from "../stores/training";
import { strings } from "../strings";
import { useDesk, useStudio } from "../studio";

const text = strings.library;

export function LibraryScreen() {
  const desk = useDesk();
  const { loaded, runs, error } = useStudio("library", (state) => state);
  return (
    <Section id="library" title={text.title}>
      {error !== null && (
        <ErrorNote
          error={error}
          action={{
            label: strings.errors.retry,
            run: () => {
              desk.stores.library.setState({ error: null });
              void refreshLibrary(desk);
            },
          }}
        />
      )}
      <Text size="sm" c="dimmed">
        {!loaded ? text.loading : runs.length === 0 ? text.empty : text.privacy}
      </Text>
      {runs.length > 0 && (
        <ul className="runs">
          {runs.map((run) => (
            <RunRow key={run.id} run={run} />
          ))}
        </ul>
      )}
      <ConfirmDelete />
    </Section>
  );
}

function RunRow({ run }: { readonly run: RunSummary }) {
  const desk = useDesk();
  const selected = useStudio("library", (state) => state.selected === run.id);
  const working = useStudio("library", (state) => state.working);
  const training = useStudio("training", isRunning);
  const fitting = useStudio("model", ({ model }) => fits(run, model));
  const last = run.losses.at(-1);
  return (
    <li className={selected ? "run-row selected" : "run-row"}>
      <div className="run-name">
        <Text fw={600} component="h3" className="wrap">
          {run.name}
        </Text>
        <Text size="sm" c="dimmed" className="wrap">
          {text.onData(run.dataset, run.model)}
        </Text>
        <Text size="xs" c="dimmed" className="numbers">
          {[date(run.created), text.steps(run.steps), bytes(run.adapterBytes)].join(" · ")}
        </Text>
        <Group gap={4}>
          {run.state === "stopped" && (
            <Badge size="sm" variant="default" mt={4}>
              {text.stopped}
            </Badge>
          )}
          {!fitting && (
            <Badge size="sm" variant="default" mt={4} tt="none" className="run-model">
              {text.forModel(run.model)}
            </Badge>
          )}
        </Group>
      </div>
      <div className="run-loss">
        <Sparkline losses={run.losses} />
        <Text size="xs" c="dimmed" className="numbers">
          {run.evalBefore !== null && run.evalAfter !== null
            ? strings.train.heldOut(run.evalBefore, run.evalAfter)
            : last !== undefined && `${strings.train.loss} ${decimal(last, 3)}`}
        </Text>
      </div>
      <Group gap={6} className="run-actions">
        <Button
          size="xs"
          variant={selected ? "filled" : "default"}
          aria-pressed={selected}
          disabled={!fitting}
          aria-label={`${selected ? text.selected : text.select} ${run.name}`}
          leftSection={selected ? <Check size={14} aria-hidden /> : undefined}
          onClick={() => desk.stores.library.setState({ selected: run.id })}
        >
          {selected ? text.selected : text.select}
        </Button>
        <Button
          size="xs"
          variant="default"
          aria-label={text.downloadLabel(run.name)}
          loading={working === run.id}
          leftSection={<Download size={14} aria-hidden />}
          onClick={() => void downloadRun(desk, run.id)}
        >
          {text.download}
        </Button>
        <Button
          size="xs"
          variant="default"
          aria-label={text.removeLabel(run.name)}
          disabled={training || working !== null}
          leftSection={<Trash2 size={14} aria-hidden />}
          onClick={() => desk.stores.library.setState({ confirming: run.id })}
        >
          {text.remove}
        </Button>
      </Group>
    </li>
  );
}

/** The run that took the deleted one's place, the last one, or the heading where none is left. */
function focusRun(index: number): void {
  const rows = document.querySelectorAll("#library .run-row");
  const row = rows[Math.min(index, rows.length - 1)];
  const target = row?.querySelector<HTMLElement>("button:not(:disabled)");
  (target ?? document.querySelector<HTMLElement>("#library h2"))?.focus();
}

function ConfirmDelete() {
  const desk = useDesk();
  const run = useStudio("library", ({ runs, confirming }) => runs.find(({ id }) => id === confirming));
  const remove = async ({ id }: RunSummary): Promise<void> => {
    const index = desk.stores.library.getState().runs.findIndex((other) => other.id === id);
    await deleteRun(desk, id);
    requestAnimationFrame(() => focusRun(index));
  };
  const close = (): void => desk.stores.library.setState({ confirming: null });
  return (
    <Modal.Root opened={run !== undefined} onClose={close} centered>
      <Modal.Overlay />
      <Modal.Content>
        {run !== undefined && (
          <Modal.Body>
            <Modal.Title fw={600} mb="xs">
              {text.confirmTitle(run.name)}
            </Modal.Title>
            <Text size="sm">{text.confirm(run.adapterBytes)}</Text>
            <Group justify="flex-end" mt="md">
              <Button variant="default" onClick={close} data-autofocus>
                {text.confirmNo}
              </Button>
              <Button color="red" onClick={() => void remove(run)}>
                {text.confirmYes}
              </Button>
            </Group>
          </Modal.Body>
        )}
      </Modal.Content>
    </Modal.Root>
  );
}
