/** What can be done with several runs at once. It stays in place however many are chosen. */
import { Button, Checkbox, Group, Text } from "@mantine/core";
import { ChartSpline, Trash2 } from "lucide-react";
import { chooseAll } from "../../actions/library";
import { openComparison } from "../../actions/library-compare";
import { mostCompared } from "../../stores/library";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";

const text = strings.library;
const hintId = "compare-hint";

export function LibraryToolbar() {
  const desk = useDesk();
  const all = useStudio("library", (state) => state.runs.length);
  const chosen = useStudio("library", (state) => state.chosen);
  const n = chosen.length;
  const comparable = n >= 2 && n <= mostCompared;
  return (
    <div className="library-bar">
      <Group gap="md" className="grow">
        <Checkbox
          size="sm"
          label={text.chooseAll}
          checked={n === all}
          indeterminate={n > 0 && n < all}
          onChange={(event) => chooseAll(desk, event.currentTarget.checked)}
        />
        <Text size="xs" c="dimmed" className="numbers" role="status">
          {text.chosen(n)}
        </Text>
      </Group>
      <Button
        size="xs"
        disabled={!comparable}
        aria-describedby={hintId}
        aria-label={comparable ? text.compareLabel(n) : undefined}
        leftSection={<ChartSpline size={14} aria-hidden />}
        onClick={() => void openComparison(desk)}
      >
        {text.compare}
      </Button>
      <Button
        size="xs"
        variant="default"
        disabled={n === 0}
        aria-label={n === 0 ? undefined : text.removeChosenLabel(n)}
        leftSection={<Trash2 size={14} aria-hidden />}
        onClick={() => desk.stores.library.setState({ confirming: chosen })}
      >
        {text.removeChosen}
      </Button>
      <Text size="xs" c="dimmed" id={hintId} className="library-hint">
        {text.compareHint(n, mostCompared)}
      </Text>
    </div>
  );
}
