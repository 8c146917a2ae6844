/** The user's own model: dropped or picked files, or a folder. */
import { FileBox } from "lucide-react";
import { chooseModelFiles } from "../../actions/choose-model";
import { modelFiles } from "../../actions/model-files";
import { strings } from "../../strings";
import { useDesk, useMayChoose } from "../../studio";
import { FileDrop } from "../file-drop";

const text = strings.model.own;

export function ModelOwn() {
  const desk = useDesk();
  const may = useMayChoose();
  return (
    <FileDrop
      icon={<FileBox size={20} aria-hidden className="drop-icon" />}
      label={text.drop}
      hint={text.dropHint}
      folder={text.folder}
      accept={modelFiles}
      disabled={!may}
      small
      onFiles={(files) => void chooseModelFiles(desk, files)}
    />
  );
}
