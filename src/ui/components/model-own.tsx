/** The user's own model: dropped or picked files, or a folder. */
import { Button, FileButton, Group, Text } from "@mantine/core";
import { Dropzone } from "@mantine/dropzone";
import { FileBox, FolderOpen } from "lucide-react";
import { chooseModelFiles } from "../actions/choose-model";
import { modelFiles } from "../actions/model-files";
import { strings } from "../strings";
import { useDesk, useMayChoose } from "../studio";

const text = strings.model.own;

export function ModelOwn() {
  const desk = useDesk();
  const may = useMayChoose();
  return (
    <>
      <Dropzone
        onDrop={(files) => void chooseModelFiles(desk, files)}
        multiple
        disabled={!may}
        inputProps={{ "aria-label": text.drop, accept: modelFiles }}
        aria-label={text.drop}
        className="drop drop-small"
      >
        <Group gap="sm" wrap="nowrap">
          <FileBox size={20} aria-hidden className="drop-icon" />
          <div>
            <Text size="sm" fw={600}>
              {text.drop}
            </Text>
            <Text size="xs" c="dimmed">
              {text.dropHint}
            </Text>
          </div>
        </Group>
      </Dropzone>
      <FileButton
        multiple
        disabled={!may}
        onChange={(files) => void chooseModelFiles(desk, files)}
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
    </>
  );
}
