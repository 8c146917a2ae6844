/** A new version of the page has come and waits; the person says when. Never over a run. */
import { Button, Text } from "@mantine/core";
import { Sparkles } from "lucide-react";
import { useStore } from "zustand";
import { updates } from "../../offline";
import { offlineStrings as text } from "../../strings/offline";
import { useGpuUser } from "../../studio";

export function UpdateNote() {
  const { apply, isKept } = useStore(updates);
  const running = useGpuUser() === "training";
  const how = isKept ? text.how : text.howUnkept;
  // There from the beginning, or screen readers would not hear what comes into it.
  return (
    <div role="status" className="update-note">
      {apply !== null && (
        <div className="verdict good">
          <Sparkles size={20} aria-hidden />
          <Text size="sm" className="words">
            <strong>{isKept ? text.ready : text.unkept}</strong>{" "}
            <span className="plain">{running ? text.later : how}</span>
          </Text>
          <Button size="xs" variant="default" disabled={running} onClick={apply}>
            {text.reload}
          </Button>
        </div>
      )}
    </div>
  );
}
