/** The model that was looked up or picked and is not open yet: its files, how to hold its weights, and the button that opens it. */
import { CloseButton, Stack, Text } from "@mantine/core";
import { useEffect, useRef } from "react";
import { closeChoice, outline } from "../../actions/choose-model";
import type { Choice } from "../../stores/picker";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";
import { ErrorNote } from "../error-note";
import { MemoryBudget } from "./budget";
import { OpenBar } from "./open-bar";
import { ModelVariants } from "./variants";
import { ModelWeights } from "./weights";

const text = strings.model.choice;

export function ModelChoice() {
  const choice = useStudio("picker", (state) => state.choice);
  if (choice === null) return null;
  const name = choice.kind === "files" ? choice.name : choice.found.id;
  // A new choice is a new panel: it takes the focus again.
  return <Panel key={choice.kind === "files" ? name : `${name}@${choice.found.commit}`} choice={choice} name={name} />;
}

function Panel({ choice, name }: { readonly choice: Choice; readonly name: string }) {
  const desk = useDesk();
  const heading = useRef<HTMLHeadingElement>(null);
  const outlining = useStudio("picker", (state) => state.outlining);
  const busy = useStudio("picker", (state) => state.opening.state === "busy");
  useEffect(() => heading.current?.focus(), []);
  const close = (): void => {
    closeChoice(desk);
    document.querySelector<HTMLElement>(".way-button")?.focus();
  };
  return (
    <section className="chosen" aria-label={text.label(name)}>
      <Stack gap="sm">
        <div className="chosen-head">
          <div className="grow">
            <Text component="h3" fw={600} className="wrap" ref={heading} tabIndex={-1}>
              {name}
            </Text>
            <Facts choice={choice} />
          </div>
          {!busy && <CloseButton onClick={close} aria-label={text.close} />}
        </div>
        {choice.kind === "found" && <ModelVariants found={choice.found} chosen={choice.variant} disabled={busy} />}
        {outlining.state === "failed" ? (
          <ErrorNote error={outlining.error} action={{ label: text.again, run: () => void outline(desk) }} />
        ) : (
          (choice.kind === "files" || choice.variant !== null) && (
            <>
              <ModelWeights disabled={busy} />
              <MemoryBudget disabled={busy} />
            </>
          )
        )}
        <OpenBar choice={choice} name={name} />
      </Stack>
    </section>
  );
}

function Facts({ choice }: { readonly choice: Choice }) {
  const outlined = useStudio("picker", (state) => state.outline);
  const from =
    choice.kind === "files"
      ? text.files(choice.files, choice.bytes)
      : choice.found.kind === "hub"
        ? text.commit(choice.found.commit)
        : text.version(choice.found.commit);
  const type = outlined?.modelType ?? null;
  const notes = choice.kind === "found" ? choice.found.notes : [];
  return (
    <>
      <Text size="xs" c="dimmed" className="numbers one-line">
        {from}
        {type !== null && ` · ${text.architecture(type, outlined?.parameters ?? null)}`}
      </Text>
      {notes.map((note) => (
        <Text key={note} size="xs" className="wrap">
          {note}
        </Text>
      ))}
    </>
  );
}
