/** An adapter from elsewhere: a PEFT folder or a zip of one, dropped anywhere on the library or picked. */
import { PackagePlus } from "lucide-react";
import { importAdapters } from "../../actions/library-files";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";
import { ErrorNote } from "../error-note";
import { FileDrop } from "../file-drop";

const text = strings.library.importing;
const accepted = ".zip,.json,.safetensors";

export function LibraryImport() {
  const desk = useDesk();
  const importing = useStudio("library", (state) => state.importing);
  const error = useStudio("library", (state) => state.importError);
  const said = useStudio("library", (state) => state.said);
  const open = useStudio("model", ({ model }) => model.state === "ready");
  const may = open && !importing;
  const take = (files: readonly File[]): void => void importAdapters(desk, files);
  return (
    <div className="library-import">
      {error !== null && <ErrorNote error={error} title={said === "" ? text.failed : text.partly} />}
      <FileDrop
        icon={<PackagePlus size={20} aria-hidden className="drop-icon" />}
        label={text.drop}
        hint={importing ? text.busy : open ? text.hint : text.needsModel}
        folder={text.folder}
        accept={accepted}
        disabled={!may}
        small
        onFiles={take}
      />
    </div>
  );
}
