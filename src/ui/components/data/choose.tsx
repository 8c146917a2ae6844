/** Choosing the dataset: drop anywhere, pick files or a folder, paste, or take a sample. */
import { Button, Text } from "@mantine/core";
import { ClipboardPaste, FileText, ShieldCheck } from "lucide-react";
import { useId, useState } from "react";
import { acceptedFiles, chooseFiles, chooseSample, pasteText } from "../../actions/choose-data";
import { samples } from "../../samples";
import { isRunning } from "../../stores/training";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";
import { FileDrop } from "../file-drop";
import { PasteDialog } from "./paste-dialog";

const text = strings.data;

export function DataChoose() {
  const desk = useDesk();
  const running = useStudio("training", isRunning);
  return (
    <>
      <FileDrop
        icon={<FileText size={24} aria-hidden className="drop-icon" />}
        label={text.drop}
        hint={text.dropHint}
        folder={text.folder}
        accept={acceptedFiles}
        disabled={running}
        onFiles={(files) => void chooseFiles(desk, files)}
      >
        <PasteButton disabled={running} />
      </FileDrop>
      <Samples disabled={running} />
      <div className="privacy">
        <ShieldCheck size={18} aria-hidden />
        <Text size="sm">
          <strong>{text.privacy}.</strong> {text.privacyHint}
        </Text>
      </div>
    </>
  );
}

/** Where the browser does not let the page read the clipboard, the person pastes into a box. */
function PasteButton({ disabled }: { readonly disabled: boolean }) {
  const desk = useDesk();
  const [asking, setAsking] = useState(false);
  const paste = async (): Promise<void> => {
    try {
      await pasteText(desk, await navigator.clipboard.readText());
    } catch {
      setAsking(true);
    }
  };
  return (
    <>
      <Button
        variant="default"
        size="xs"
        disabled={disabled}
        title={text.pasteHint}
        onClick={() => void paste()}
        leftSection={<ClipboardPaste size={14} aria-hidden />}
      >
        {text.paste}
      </Button>
      <PasteDialog opened={asking} onClose={() => setAsking(false)} />
    </>
  );
}

/** Three to begin with; the line below them tells of the one that is pointed at, or else of the chosen one. */
function Samples({ disabled }: { readonly disabled: boolean }) {
  const desk = useDesk();
  const chosen = useStudio("data", (state) => state.sample);
  const [pointed, setPointed] = useState<string | null>(null);
  const told = samples.find(({ id }) => id === (pointed ?? chosen));
  const line = useId();
  return (
    <div>
      <fieldset className="samples" aria-label={text.samples} aria-describedby={line}>
        <Text span size="sm" aria-hidden>
          {text.samples}
        </Text>
        {samples.map((sample) => (
          <Button
            key={sample.id}
            size="xs"
            variant={sample.id === chosen ? "light" : "default"}
            disabled={disabled}
            aria-pressed={sample.id === chosen}
            title={sample.description}
            onMouseEnter={() => setPointed(sample.id)}
            onMouseLeave={() => setPointed(null)}
            onFocus={() => setPointed(sample.id)}
            onBlur={() => setPointed(null)}
            onClick={() => void chooseSample(desk, sample)}
          >
            {sample.title}
          </Button>
        ))}
      </fieldset>
      <Text size="xs" c="dimmed" mt={4} id={line} className="one-line">
        {told?.description ?? text.samplesHint}
      </Text>
    </div>
  );
}
