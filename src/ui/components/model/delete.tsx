/** Asks before downloaded models are deleted, and says what goes and what stays. */
import { Button, Group, Text } from "@mantine/core";
import { deleteStored } from "../../actions/stored-models";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";
import { Dialog } from "../dialog";

const text = strings.model.stored;

/** The row that took the deleted one's place, the last one, or what unfolds the list where none is left. */
function focusRow(index: number): void {
  const buttons = document.querySelectorAll<HTMLElement>("[data-delete]:not(:disabled)");
  const target = buttons[Math.min(index, buttons.length - 1)];
  (target ?? document.querySelector<HTMLElement>('.way-button[aria-expanded="true"]'))?.focus();
}

export function DeleteModels() {
  const desk = useDesk();
  const { confirming, cached } = useStudio("stored", (state) => state);
  const open = useStudio("model", ({ model }) => (model.state === "ready" ? model.value.name : null));
  const models = cached?.models ?? [];
  const model = models.find(({ key }) => key === confirming);
  const all = confirming === "all";
  const close = (): void => desk.stores.stored.setState({ confirming: null });
  const remove = async (): Promise<void> => {
    if (confirming === null) return;
    const index = models.findIndex(({ key }) => key === confirming);
    await deleteStored(desk, confirming);
    requestAnimationFrame(() => focusRow(Math.max(0, index)));
  };
  const stays = all ? models.some(({ id }) => id === open) : model?.id === open;
  return (
    <Dialog
      opened={all || model !== undefined}
      onClose={close}
      title={all ? text.confirmAllTitle(models.length) : model === undefined ? "" : text.confirmTitle(model.id)}
    >
      <Text size="sm" className="wrap">
        {all ? text.confirmAll(cached?.bytes ?? 0) : model !== undefined && text.confirm(model)}
      </Text>
      {stays && (
        <Text size="sm" mt="xs">
          {text.confirmOpen}
        </Text>
      )}
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={close} data-autofocus>
          {text.confirmNo}
        </Button>
        <Button color="red" onClick={() => void remove()}>
          {text.confirmYes}
        </Button>
      </Group>
    </Dialog>
  );
}
