/** The one button that opens the chosen model; while it works, how far it is; where it stopped, what is kept. */
import { Button, Text } from "@mantine/core";
import { Download, FolderOpen, RotateCw } from "lucide-react";
import { useId } from "react";
import { openChosen } from "../../actions/choose-model";
import type { Choice } from "../../stores/picker";
import { keptOf } from "../../stores/stored";
import { strings } from "../../strings";
import { useDesk, useGpuUser, useStudio } from "../../studio";
import { ErrorNote } from "../error-note";
import { useLostFocus } from "../lost-focus";
import { faultTitle } from "./hub";
import { OpeningLine } from "./opening";

const text = strings.model.choice;
const words = strings.model.download;

interface Props {
  readonly choice: Choice;
  readonly name: string;
}

export function OpenBar({ choice, name }: Props) {
  const opening = useStudio("picker", (state) => state.opening);
  if (opening.state === "busy") return <OpeningLine opening={opening} name={name} />;
  return (
    <>
      <Ended choice={choice} />
      <OpenButton choice={choice} />
    </>
  );
}

/** Of the chosen variant: what it takes, and what of it is here. */
function useDownload(choice: Choice): {
  readonly total: number | null;
  readonly have: number;
  readonly whole: boolean;
} {
  const cached = useStudio("stored", (state) => state.cached);
  if (choice.kind === "files" || choice.variant === null) return { total: 0, have: 0, whole: true };
  const kept = keptOf(cached, choice.found, choice.variant);
  const total = choice.found.variants.find(({ id }) => id === choice.variant)?.bytes ?? null;
  return { total, have: kept?.bytes ?? 0, whole: kept?.whole ?? false };
}

/** Why it is not open, and what there is of the download. */
function Ended({ choice }: { readonly choice: Choice }) {
  const desk = useDesk();
  const opening = useStudio("picker", (state) => state.opening);
  const standing = useStudio("model", (state) => state.model.state === "ready");
  const { total, have, whole } = useDownload(choice);
  const kept = whole ? null : have > 0 ? words.kept(have, total) : words.nothingKept;
  if (opening.state === "stopped") {
    return (
      <Text size="sm" role="status" className="numbers">
        {words.stopped} {kept}
      </Text>
    );
  }
  // Where no model is open any more, the reason stands at the section's top.
  if (opening.state !== "failed" || !standing) return null;
  const { error } = opening;
  const reason = error.data["reason"];
  return (
    <>
      <ErrorNote
        error={error}
        title={faultTitle(reason) ?? (whole ? undefined : words.broke)}
        action={whole ? { label: text.again, run: () => void openChosen(desk) } : undefined}
      />
      {kept !== null && (
        <Text size="sm" role="status" className="numbers">
          {kept}
        </Text>
      )}
    </>
  );
}

/** Why the choice cannot be opened now, in a sentence; null where it can. */
function useObstacle(choice: Choice): string | null {
  const outline = useStudio("picker", (state) => state.outline);
  const quantization = useStudio("picker", (state) => state.quantization);
  const taken = useGpuUser() !== null;
  if (choice.kind === "found" && choice.variant === null) return text.none;
  if (taken) return text.busy;
  const fit = outline?.choices.find((offered) => offered.quantization === quantization)?.fit;
  if (outline === null || fit === undefined) return null;
  if (fit.verdict === "unsupported") return fit.sentence;
  if (fit.verdict !== "too-large") return null;
  const fitting = outline.choices.filter((offered) => ["fits", "tight"].includes(offered.fit.verdict));
  const labels = fitting.map(({ label }) => label);
  return `${text.tooLarge} ${labels.length > 0 ? text.wouldFit(labels) : text.tooLargeRemedy}`;
}

function OpenButton({ choice }: { readonly choice: Choice }) {
  const desk = useDesk();
  const outlined = useStudio("picker", (state) => state.outline !== null);
  const opening = useStudio("model", (state) => state.model.state === "busy");
  const { total, have, whole } = useDownload(choice);
  const obstacle = useObstacle(choice);
  const reason = useId();
  const button = useLostFocus<HTMLButtonElement>();
  const resumes = !whole && have > 0;
  const label = whole
    ? text.open
    : resumes
      ? text.resume(total === null ? null : Math.max(0, total - have))
      : text.download(total);
  const Icon = whole ? FolderOpen : resumes ? RotateCw : Download;
  return (
    <div className="open-bar">
      {obstacle !== null && (
        <Text size="sm" className="warning grow" id={reason}>
          {obstacle}
        </Text>
      )}
      <Button
        ref={button}
        disabled={obstacle !== null || !outlined || opening}
        onClick={() => void openChosen(desk)}
        leftSection={<Icon size={16} aria-hidden />}
        aria-describedby={obstacle === null ? undefined : reason}
        className="numbers"
      >
        {label}
      </Button>
    </div>
  );
}
