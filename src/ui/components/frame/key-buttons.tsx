/** In the page's head: the commands, and the list of keys, for those who do not know their keys yet. */
import { Button, VisuallyHidden } from "@mantine/core";
import { Keyboard, Search } from "lucide-react";
import { show } from "../../stores/overlay";
import { strings } from "../../strings";
import { KeyCaps } from "./key-caps";

const text = strings.keys;

export function KeyButtons() {
  return (
    <>
      <Button
        size="xs"
        variant="default"
        className="commands-button"
        aria-keyshortcuts="Control+K Meta+K"
        title={text.commands}
        onClick={() => show("palette")}
      >
        <Search size={16} aria-hidden />
        <VisuallyHidden>{text.commands}</VisuallyHidden>
        <KeyCaps keys="mod + K" hidden />
      </Button>
      <Button
        size="xs"
        variant="default"
        className="keys-button"
        aria-label={text.keys.button}
        aria-keyshortcuts="?"
        title={text.keys.button}
        onClick={() => show("keys")}
      >
        <Keyboard size={16} aria-hidden />
      </Button>
    </>
  );
}
