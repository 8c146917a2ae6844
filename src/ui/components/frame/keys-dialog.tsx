/** All keys of the page, and the switch for those that are a single character (WCAG 2.1.4). */
import { Checkbox } from "@mantine/core";
import { steps } from "../../stores/route";
import { strings } from "../../strings";
import { Dialog } from "../dialog";
import { KeyCaps } from "./key-caps";

const text = strings.keys.keys;

interface Entry {
  /** Each does it. */
  readonly keys: readonly string[];
  readonly does: string;
}

const anywhere: readonly Entry[] = [
  { keys: ["mod + K"], does: text.palette },
  { keys: ["mod + Enter"], does: text.train },
  { keys: ["mod + J"], does: text.theme },
  { keys: ["Escape"], does: text.close },
];
const singles: readonly Entry[] = [
  { keys: ["?"], does: text.list },
  ...steps.map((step, index) => ({ keys: [String(index + 1)], does: text.step(step, strings.frame.titles) })),
];
const inPlace: readonly Entry[] = [
  { keys: ["←", "→"], does: text.tabs },
  { keys: ["←", "→", "PageUp", "PageDown"], does: text.chart },
  { keys: ["←", "→", "Home", "End"], does: text.tokens },
];

interface Props {
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly single: boolean;
  readonly onSingle: (single: boolean) => void;
}

export function KeysDialog({ opened, onClose, single, onSingle }: Props) {
  return (
    <Dialog opened={opened} onClose={onClose} title={text.title}>
      <div className="keys-dialog">
        <Keys title={text.anywhere} entries={anywhere} />
        <Keys title={text.singles} entries={singles} off={!single} />
        <Checkbox
          label={text.single}
          description={text.singleHint}
          checked={single}
          onChange={(event) => onSingle(event.currentTarget.checked)}
        />
        <Keys title={text.inPlace} entries={inPlace} />
      </div>
    </Dialog>
  );
}

interface KeysProps {
  readonly title: string;
  readonly entries: readonly Entry[];
  readonly off?: boolean;
}

function Keys({ title, entries, off = false }: KeysProps) {
  return (
    <table className={off ? "keys-table off" : "keys-table"}>
      <caption>
        {title}
        {off && <span className="warning"> {text.singleOff}</span>}
      </caption>
      <tbody>
        {entries.map(({ keys, does }) => (
          <tr key={does}>
            <th scope="row">
              {keys.map((key) => (
                <KeyCaps key={key} keys={key} />
              ))}
            </th>
            <td>{does}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
