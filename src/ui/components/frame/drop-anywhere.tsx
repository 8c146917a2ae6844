/** Files dropped or pasted anywhere on the page become the dataset, or the chosen model where they hold weights; a drop zone takes its own. */
import { Portal, Text } from "@mantine/core";
import { FileText } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { chooseFiles, pasteText } from "../../actions/choose-data";
import { chooseModelFiles } from "../../actions/choose-model";
import { holdsWeights } from "../../actions/model-files";
import { filesOf } from "../../dropped-files";
import { goTo } from "../../go-to";
import { say } from "../../stores/overlay";
import { isRunning } from "../../stores/training";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";

const within = (target: EventTarget | null, selector: string): boolean =>
  target instanceof Element && target.closest(selector) !== null;

const holdsFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") === true;

export function DropAnywhere() {
  const desk = useDesk();
  const disabled = useStudio("training", isRunning);
  const [over, setOver] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  useEffect(() => {
    const end = (): void => {
      clearTimeout(timer.current);
      setOver(false);
    };
    const onOver = (event: DragEvent): void => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      // A drag that leaves the window says nothing: it is over when it is no longer heard of.
      clearTimeout(timer.current);
      timer.current = setTimeout(end, 400);
      setOver(!disabled && !within(event.target, ".drop"));
    };
    const onDrop = (event: DragEvent): void => {
      end();
      if (!holdsFiles(event) || event.dataTransfer === null || (!disabled && within(event.target, ".drop"))) return;
      event.preventDefault();
      if (disabled) {
        // Left alone, the browser would open the file in the page's place, over the run.
        say(strings.keys.off.taken.training);
        return;
      }
      void filesOf(event.dataTransfer).then((files) => {
        const weights = holdsWeights(files);
        goTo(weights ? "model" : "data");
        return weights ? chooseModelFiles(desk, files) : chooseFiles(desk, files);
      });
    };
    const onPaste = (event: ClipboardEvent): void => {
      if (disabled || event.clipboardData === null || within(event.target, "input, textarea, [contenteditable]"))
        return;
      const files = [...event.clipboardData.files];
      const pasted = event.clipboardData.getData("text/plain");
      if (files.length === 0 && pasted.trim() === "") return;
      goTo("data");
      void (files.length > 0 ? chooseFiles(desk, files) : pasteText(desk, pasted));
    };
    document.addEventListener("dragover", onOver);
    document.addEventListener("drop", onDrop);
    document.addEventListener("paste", onPaste);
    return () => {
      clearTimeout(timer.current);
      document.removeEventListener("dragover", onOver);
      document.removeEventListener("drop", onDrop);
      document.removeEventListener("paste", onPaste);
    };
  }, [desk, disabled]);

  if (!over || disabled) return null;
  return (
    <Portal>
      <div className="drop-anywhere" aria-hidden>
        <FileText size={28} />
        <Text fw={600}>{strings.data.dropHere}</Text>
      </div>
    </Portal>
  );
}
