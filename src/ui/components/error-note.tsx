/** One error: what happened, what to do, and details to copy. */
import { Button, CopyButton, Group, Text } from "@mantine/core";
import { Check, Copy, TriangleAlert } from "lucide-react";
import type { ErrorData } from "../../worker/protocol";
import { strings } from "../strings";
import { useStudio } from "../studio";

interface Props {
  readonly error: ErrorData;
  /** Where the error's code says less. */
  readonly title?: string | undefined;
  readonly action?: { readonly label: string; readonly run: () => void } | undefined;
}

export function ErrorNote({ error, title = strings.errors.title[error.code], action }: Props) {
  const device = useStudio("device", (state) => state.device);
  const details = (): string =>
    JSON.stringify(
      { ...error, gpu: device.state === "ready" ? device.value.name : device.state, browser: navigator.userAgent },
      null,
      2,
    );
  return (
    <div role="alert" className="verdict bad">
      <TriangleAlert size={20} aria-hidden />
      <div>
        <Text size="sm" fw={600}>
          {title}
        </Text>
        <Text size="sm" className="wrap plain">
          {error.message}
        </Text>
        <Group gap="xs" mt="sm">
          {action !== undefined && (
            <Button size="xs" color="red" onClick={action.run}>
              {action.label}
            </Button>
          )}
          <CopyButton value={details()}>
            {({ copied, copy }) => (
              <Button
                size="xs"
                variant="default"
                onClick={copy}
                leftSection={copied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
              >
                {copied ? strings.errors.copied : strings.errors.copy}
              </Button>
            )}
          </CopyButton>
        </Group>
      </div>
    </div>
  );
}
