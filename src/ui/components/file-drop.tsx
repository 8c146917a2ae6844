/** The one drop zone of the page: files or a folder are dropped on it, or picked with it or with the button below. */
import { Button, FileButton, Group, Text } from "@mantine/core";
import { Dropzone } from "@mantine/dropzone";
import { FolderOpen } from "lucide-react";
import type { ReactNode } from "react";

interface Props {
  readonly icon: ReactNode;
  /** Also the accessible name of the hidden input, and the name of the folder button. */
  readonly label: string;
  readonly folder: string;
  readonly hint: string;
  /** Endings for the file picker; what is dropped, or lies in a folder, is judged by whoever takes it. */
  readonly accept: string;
  readonly disabled: boolean;
  readonly small?: boolean;
  /** One file, several, or all of a folder, with the paths inside it. */
  readonly onFiles: (files: File[]) => void;
  /** More ways, beside the folder button. */
  readonly children?: ReactNode;
}

export function FileDrop({ icon, label, folder, hint, accept, disabled, small = false, onFiles, children }: Props) {
  return (
    <>
      <Dropzone
        onDrop={onFiles}
        multiple
        disabled={disabled}
        inputProps={{ "aria-label": label, accept }}
        aria-label={label}
        className={small ? "drop drop-small" : "drop"}
      >
        <Group gap="sm" wrap="nowrap">
          {icon}
          <div>
            <Text size="sm" fw={600}>
              {label}
            </Text>
            <Text size="xs" c="dimmed">
              {hint}
            </Text>
          </div>
        </Group>
      </Dropzone>
      <Group gap={8}>
        <FileButton
          multiple
          disabled={disabled}
          onChange={onFiles}
          inputProps={{ "aria-label": folder, ...{ webkitdirectory: "" } }}
        >
          {(props) => (
            <Button
              {...props}
              variant="default"
              size="xs"
              disabled={disabled}
              leftSection={<FolderOpen size={14} aria-hidden />}
            >
              {folder}
            </Button>
          )}
        </FileButton>
        {children}
      </Group>
    </>
  );
}
