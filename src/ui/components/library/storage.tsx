/** What the kept runs take, what the browser allows and whether it keeps it, and all of it as one file. */
import { Anchor, Button, Group, Text } from "@mantine/core";
import { Package } from "lucide-react";
import { useEffect } from "react";
import { showWay } from "../../actions/choose-model";
import { packRuns } from "../../actions/library-files";
import { keepStored, refreshStored } from "../../actions/stored-models";
import { goTo } from "../../go-to";
import { takenBytes } from "../../stores/library";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";

const text = strings.library.storage;

export function LibraryStorage() {
  const desk = useDesk();
  const runs = useStudio("library", (state) => state.runs);
  const packing = useStudio("library", (state) => state.packing);
  const cached = useStudio("stored", (state) => state.cached);
  const refused = useStudio("stored", (state) => state.refusedToKeep);
  useEffect(() => void refreshStored(desk), [desk]);
  const { usage = null, quota = null, persisted = null } = cached?.room ?? {};
  const keeping = persisted === null ? text.unknown : persisted ? text.persisted : text.mayClear;
  const toModels = (): void => {
    showWay(desk, "stored");
    goTo("model");
  };
  return (
    <div className="library-storage">
      <Text fw={600} size="sm" component="h3">
        {text.title}
      </Text>
      <Text size="sm" className="numbers">
        {text.taken(runs.length, takenBytes(runs))} {usage !== null && quota !== null && text.room(usage, quota)}{" "}
        {cached !== null && keeping}
      </Text>
      <Group gap="sm">
        <Button
          variant="default"
          size="xs"
          disabled={packing !== null}
          leftSection={<Package size={14} aria-hidden />}
          onClick={() => void packRuns(desk)}
        >
          {packing === null ? text.pack : text.packing(Math.min(packing.done, packing.total - 1), packing.total)}
        </Button>
        {cached !== null && persisted !== true && (
          <Button variant="default" size="xs" onClick={() => void keepStored(desk)}>
            {text.keep}
          </Button>
        )}
        <Anchor component="button" type="button" size="sm" onClick={toModels}>
          {text.models(cached?.models.length ?? 0, cached?.bytes ?? 0)}
        </Anchor>
      </Group>
      <Text size="xs" c="dimmed">
        {text.packHint}
      </Text>
      <Text size="xs" c="dimmed" role="status">
        {refused && text.notKept}
      </Text>
    </div>
  );
}
