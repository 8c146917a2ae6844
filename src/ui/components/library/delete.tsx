/** Says what a deletion takes before it happens, and for some seconds after it offers to undo it. */
import { Button, Group, Text } from "@mantine/core";
import { Undo2 } from "lucide-react";
import { useEffect, useRef } from "react";
import type { RunSummary } from "../../../worker/protocol";
import { deleteRuns, undoDelete } from "../../actions/library-delete";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";
import { Dialog } from "../dialog";

const text = strings.library;

export function ConfirmDelete() {
  const desk = useDesk();
  const runs = useStudio("library", (state) => state.runs);
  const confirming = useStudio("library", (state) => state.confirming);
  const asked = runs.filter(({ id }) => confirming.includes(id));
  // While it closes, the dialog goes on saying what it said.
  const last = useRef(asked);
  if (asked.length > 0) last.current = asked;
  const going = last.current;
  const size = going.reduce((sum, { adapterBytes }) => sum + adapterBytes, 0);
  const close = (): void => desk.stores.library.setState({ confirming: [] });
  return (
    <Dialog opened={asked.length > 0} onClose={close} title={text.confirmTitle(going.map(({ name }) => name))}>
      <Text size="sm">{text.confirm(going.length, size)}</Text>
      <Text size="sm" mt="xs">
        {text.confirmUndo}
      </Text>
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={close} data-autofocus>
          {text.confirmNo(going.length)}
        </Button>
        <Button color="red" onClick={() => void deleteRuns(desk, confirming)}>
          {text.confirmYes(going.length)}
        </Button>
      </Group>
    </Dialog>
  );
}

/** The first card, or the heading where none is left: where the focus goes when what held it is gone. */
function focusList(run?: RunSummary): void {
  const card = run === undefined ? null : document.querySelector(`[data-run="${CSS.escape(run.id)}"]`);
  const place = card ?? document.querySelector("#library .run-card");
  const target = place?.querySelector<HTMLElement>("button:not(:disabled)");
  (target ?? document.querySelector<HTMLElement>("#library h2"))?.focus();
}

export function UndoBar() {
  const deleted = useStudio("library", (state) => state.deleted);
  return (
    <div role="status" className="undo-place">
      {deleted.length > 0 && (
        <Text size="sm" className="wrap undo-words">
          {text.deleted(deleted.map(({ name }) => name))} <span className="faint">{text.undoHint}</span>
        </Text>
      )}
      {deleted.length > 0 && <UndoButton deleted={deleted} />}
    </div>
  );
}

function UndoButton({ deleted }: { readonly deleted: readonly RunSummary[] }) {
  const desk = useDesk();
  const button = useRef<HTMLButtonElement>(null);
  // The dialog gives the focus back to a card that is gone by then.
  useEffect(() => {
    const element = button.current;
    const timer = setTimeout(() => button.current?.focus({ preventScroll: true }), 60);
    return () => {
      clearTimeout(timer);
      if (document.activeElement === element || document.activeElement === document.body) {
        requestAnimationFrame(() => {
          if (document.activeElement === document.body) focusList();
        });
      }
    };
  }, []);
  return (
    <Button
      ref={button}
      size="xs"
      variant="default"
      leftSection={<Undo2 size={14} aria-hidden />}
      onClick={() => void undoDelete(desk).then(() => requestAnimationFrame(() => focusList(deleted[0])))}
    >
      {text.undo}
    </Button>
  );
}
