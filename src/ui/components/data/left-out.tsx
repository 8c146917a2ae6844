/** The files of a choice that were not taken, by name, and a way to take them all the same. */
import { Button, Text } from "@mantine/core";
import { strings } from "../../strings";

const text = strings.data;
const namesShown = 3;

interface Props {
  readonly names: readonly string[];
  readonly onTake: () => void;
  readonly disabled: boolean;
}

export function LeftOut({ names, onTake, disabled }: Props) {
  if (names.length === 0) return null;
  return (
    <div className="reading">
      <Text size="xs" c="dimmed" role="status" className="wrap grow">
        {text.leftOut(names.length, names.slice(0, namesShown))}
      </Text>
      <Button variant="default" size="compact-sm" disabled={disabled} onClick={onTake} className="no-shrink">
        {text.takeLeftOut(names.length)}
      </Button>
    </div>
  );
}
