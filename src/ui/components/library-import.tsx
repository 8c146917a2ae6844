/** An adapter from elsewhere: a PEFT folder or a zip of one, dropped anywhere on the library or picked. */
import { Button, FileButton, Group, Text } from "@mantine/core";
import { Dropzone } from "@mantine/dropzone";
import { FolderOpen, PackagePlus } from "lucide-react";
import { importAdapters } from "../actions/library-files";
import { strings } from "../strings";
import { useDesk, useStudio } from "../studio";
import { ErrorNote } from "./error-note";

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
      <Dropzone
        onDrop={take}
        multiple
        disabled={!may}
        inputProps={{ "aria-label": text.drop, accept: accepted }}
        aria-label={text.drop}
        className="drop drop-small"
      >
        <Group gap="sm" wrap="nowrap">
          <PackagePlus size={20} aria-hidden className="drop-icon" />
          <div>
            <Text size="sm" fw={600}>
              {text.drop}
            </Text>
            <Text size="xs" c="dimmed">
              {importing ? text.busy : open ? text.hint : text.needsModel}
            </Text>
          </div>
        </Group>
      </Dropzone>
      <FileButton
        multiple
        disabled={!may}
        onChange={take}
        inputProps={{ "aria-label": text.folder, ...{ webkitdirectory: "" } }}
      >
        {(props) => (
          <Button
            {...props}
            variant="default"
            size="xs"
            disabled={!may}
            leftSection={<FolderOpen size={14} aria-hidden />}
            className="start"
          >
            {text.folder}
          </Button>
        )}
      </FileButton>
    </div>
  );
}
