/** What stands in the way of the GPU, and what to do about it. Nothing where nothing does. */
import { Button, Text } from "@mantine/core";
import { Turtle, Unplug } from "lucide-react";
import { strings } from "../strings";
import { useStudio } from "../studio";
import { ErrorNote } from "./error-note";

const text = strings.device;

export function GpuNote() {
  const { secureContext, hasWebGpu, device, lost } = useStudio("device", (state) => state);
  if (lost !== null) return <Blocked title={text.lostTitle} body={text.lost(lost)} reload />;
  if (!secureContext) return <Blocked title={text.insecureTitle} body={text.insecure} />;
  if (!hasWebGpu) return <Blocked title={text.absentTitle} body={text.absent} />;
  if (device.state === "failed") {
    if (device.error.code !== "gpu") {
      return <ErrorNote error={device.error} action={{ label: text.reload, run: () => location.reload() }} />;
    }
    return <Blocked title={text.refusedTitle} body={`${device.error.message} ${text.refused}`} reload />;
  }
  if (device.state === "ready" && device.value.isFallback) {
    return (
      <div className="verdict warn">
        <Turtle size={20} aria-hidden />
        <Text size="sm">
          <strong>{text.slowTitle}.</strong> <span className="plain">{text.slow(device.value.name)}</span>
        </Text>
      </div>
    );
  }
  return null;
}

function Blocked({
  title,
  body,
  reload = false,
}: {
  readonly title: string;
  readonly body: string;
  readonly reload?: boolean;
}) {
  return (
    <div role="alert" className="verdict bad">
      <Unplug size={20} aria-hidden />
      <div>
        <Text size="sm" fw={600}>
          {title}
        </Text>
        <Text size="sm" className="plain">
          {body}
        </Text>
        <Text size="sm" mt={4} className="plain">
          {text.stillWorks}
        </Text>
        {reload && (
          <Button size="xs" mt="sm" color="red" onClick={() => location.reload()}>
            {text.reload}
          </Button>
        )}
      </div>
    </div>
  );
}
