/** A run's name; a press on the pencil makes it a field. Enter keeps the new name, Escape the old one. */
import { ActionIcon, Text, TextInput } from "@mantine/core";
import { Check, Pencil, X } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import type { RunSummary } from "../../../worker/protocol";
import { updateRun } from "../../actions/library";
import { strings } from "../../strings";
import { useDesk } from "../../studio";

const text = strings.library;
const longestTyped = 200;

export function LibraryName({ run: { id, name } }: { readonly run: RunSummary }) {
  const [editing, setEditing] = useState(false);
  const pencil = useRef<HTMLButtonElement>(null);
  const was = useRef(false);
  useEffect(() => {
    // Keep the focus where it was: the field that had it is gone.
    if (was.current && !editing) pencil.current?.focus();
    was.current = editing;
  }, [editing]);
  if (!editing) {
    return (
      <div className="run-name">
        <Text fw={600} component="h3" className="wrap">
          {name}
        </Text>
        <ActionIcon
          ref={pencil}
          variant="subtle"
          color="gray"
          size="sm"
          aria-label={text.rename(name)}
          title={text.rename(name)}
          onClick={() => setEditing(true)}
        >
          <Pencil size={14} aria-hidden />
        </ActionIcon>
      </div>
    );
  }
  return <NameField id={id} name={name} onClose={() => setEditing(false)} />;
}

interface FieldProps {
  readonly id: string;
  readonly name: string;
  readonly onClose: () => void;
}

function NameField({ id, name, onClose }: FieldProps) {
  const desk = useDesk();
  const [typed, setTyped] = useState(name);
  const [fault, setFault] = useState<string | null>(null);
  const save = async (): Promise<void> => {
    const refused = typed.trim() === name ? null : await updateRun(desk, { run: id, name: typed });
    setFault(refused);
    if (refused === null) onClose();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Enter") void save();
    if (event.key === "Escape") onClose();
    if (event.key === "Enter" || event.key === "Escape") event.stopPropagation();
  };
  return (
    <div className="run-name editing">
      <TextInput
        size="xs"
        value={typed}
        aria-label={text.nameLabel(name)}
        error={fault}
        errorProps={{ role: "alert" }}
        maxLength={longestTyped}
        autoComplete="off"
        spellCheck={false}
        autoFocus
        onFocus={(event) => event.currentTarget.select()}
        onChange={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        className="grow"
      />
      <ActionIcon variant="default" size={30} aria-label={text.saveName} onClick={() => void save()}>
        <Check size={14} aria-hidden />
      </ActionIcon>
      <ActionIcon variant="default" size={30} aria-label={text.cancelName} onClick={onClose}>
        <X size={14} aria-hidden />
      </ActionIcon>
    </div>
  );
}
