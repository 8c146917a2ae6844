/** What the user wants to remember of a run. Kept when the field is left, and when the page is. */
import { Textarea } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import type { RunSummary } from "../../../worker/protocol";
import { updateRun } from "../../actions/library";
import { strings } from "../../strings";
import { useDesk } from "../../studio";

const text = strings.library;

export function LibraryNote({ run: { id, name, note = "" } }: { readonly run: RunSummary }) {
  const desk = useDesk();
  /** Null while nothing is being written: then the kept note shows, another tab's too. */
  const [draft, setDraft] = useState<string | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const save = async (): Promise<void> => {
    if (draft === null) return;
    const refused = draft === note ? null : await updateRun(desk, { run: id, note: draft });
    setFault(refused);
    if (refused === null) setDraft((now) => (now === draft ? null : now));
  };
  const latest = useRef(save);
  latest.current = save;
  useEffect(() => {
    const keep = (): void => {
      if (document.visibilityState === "hidden") void latest.current();
    };
    document.addEventListener("visibilitychange", keep);
    return () => document.removeEventListener("visibilitychange", keep);
  }, []);
  return (
    <Textarea
      size="xs"
      variant="unstyled"
      autosize
      minRows={1}
      maxRows={12}
      value={draft ?? note}
      error={fault}
      errorProps={{ role: "alert" }}
      placeholder={text.note}
      aria-label={text.noteLabel(name)}
      onChange={(event) => setDraft(event.currentTarget.value)}
      onBlur={() => void save()}
      className="run-note"
    />
  );
}
