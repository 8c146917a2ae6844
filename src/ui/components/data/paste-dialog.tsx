/** A box to paste rows into, for browsers that do not hand out the clipboard. */
import { Button, Group, Textarea } from "@mantine/core";
import { useState } from "react";
import { pasteText } from "../../actions/choose-data";
import { strings } from "../../strings";
import { useDesk } from "../../studio";
import { Dialog } from "../dialog";

const text = strings.data;

export function PasteDialog({ opened, onClose }: { readonly opened: boolean; readonly onClose: () => void }) {
  const desk = useDesk();
  const [pasted, setPasted] = useState("");
  const close = (): void => {
    setPasted("");
    onClose();
  };
  return (
    <Dialog opened={opened} onClose={close} title={text.pasteTitle}>
      <Textarea
        label={text.pasteLabel}
        value={pasted}
        onChange={(event) => setPasted(event.currentTarget.value)}
        rows={10}
        spellCheck={false}
        classNames={{ input: "code" }}
        data-autofocus
      />
      <Group justify="flex-end" gap="xs" mt="md">
        <Button variant="default" onClick={close}>
          {text.mapping.cancel}
        </Button>
        <Button
          disabled={pasted.trim() === ""}
          onClick={() => {
            void pasteText(desk, pasted);
            close();
          }}
        >
          {text.pasteUse}
        </Button>
      </Group>
    </Dialog>
  );
}
