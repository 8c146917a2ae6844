/** The command palette: everything that can be done, found by its words and run by keyboard. Loaded at its first use. */
import { useMantineColorScheme, VisuallyHidden } from "@mantine/core";
import { createSpotlight, Spotlight } from "@mantine/spotlight";
import { Search } from "lucide-react";
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import { type Command, commands, type Hands, matching, runsAtFirst } from "../../actions/commands";
import { overlay, show } from "../../stores/overlay";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";
import { KeyCaps } from "./key-caps";

const text = strings.keys;
const [store, spotlight] = createSpotlight();
const listId = "command-list";
const searchId = "command-search";
const search = (): HTMLElement | null => document.getElementById(searchId);
const optionId = (command: Command): string => `command-${command.id}`;

interface Props {
  readonly opened: boolean;
}

export function CommandPalette({ opened }: Props) {
  const [query, setQuery] = useState("");
  const opener = useRef<HTMLElement | null>(null);
  // Before the dialog takes the focus.
  useLayoutEffect(() => {
    if (opened) {
      opener.current = document.activeElement instanceof HTMLElement ? document.activeElement : null;
      spotlight.open();
    } else spotlight.close();
  }, [opened]);
  useEffect(() => () => spotlight.close(), []);
  const giveBack = (): void => {
    if (opener.current === document.body) search()?.blur();
    else opener.current?.focus({ preventScroll: true });
    opener.current = null;
  };
  /** The focus goes back first, so that a command may take it elsewhere. */
  const choose = (command: Command): void => {
    if (command.off !== null) return;
    show(null);
    giveBack();
    command.run();
  };
  return (
    <Spotlight.Root
      store={store}
      shortcut={null}
      query={query}
      onQueryChange={setQuery}
      onSpotlightClose={() => {
        if (overlay.getState().shown === "palette") show(null);
        giveBack();
      }}
      closeOnActionTrigger={false}
      returnFocus={false}
      attributes={{ content: { "aria-label": text.commands } }}
      overlayProps={{ backgroundOpacity: 0.35 }}
      transitionProps={{ duration: 100 }}
      yOffset="8dvh"
    >
      <Palette query={query} onChoose={choose} />
    </Spotlight.Root>
  );
}

interface PaletteProps {
  readonly query: string;
  readonly onChoose: (command: Command) => void;
}

/** Mounted while it is open only. */
function Palette({ query, onChoose }: PaletteProps) {
  const all = useCommands(query !== "");
  const found = matching(all, query);
  const groups = [...new Set(found.map(({ group }) => group))];
  const shown = groups.flatMap((group) => found.filter((command) => command.group === group));
  const [pointed, setPointed] = useState({ query, id: "" });
  // What was typed anew points at the first that it finds.
  const fresh = query !== pointed.query;
  const current = fresh ? shown[0] : shown.find(({ id }) => id === pointed.id);
  const move = (by: 1 | -1): void => {
    const at = current === undefined ? (by === 1 ? -1 : 0) : shown.indexOf(current);
    const next = shown.at((at + by) % shown.length);
    if (next === undefined) return;
    setPointed({ query, id: next.id });
    document.getElementById(optionId(next))?.scrollIntoView({ block: "nearest" });
  };
  const onKeyDown = ({ key, nativeEvent }: KeyboardEvent): void => {
    if (nativeEvent.isComposing) return;
    if (key === "ArrowDown") move(1);
    else if (key === "ArrowUp") move(-1);
    else if (key === "Enter" && current !== undefined) onChoose(current);
  };
  const more = useStudio("library", ({ runs }) => runs.length > runsAtFirst);
  return (
    <>
      <Spotlight.Search
        id={searchId}
        placeholder={text.search}
        leftSection={<Search size={18} aria-hidden />}
        aria-label={text.search}
        role="combobox"
        aria-expanded
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={current && optionId(current)}
        autoComplete="off"
        spellCheck={false}
        onKeyDown={onKeyDown}
        data-autofocus
      />
      <div
        id={listId}
        role="listbox"
        aria-label={text.commands}
        className={shown.length === 0 ? "palette-list empty" : "palette-list"}
      >
        {groups.map((group) => (
          <Spotlight.ActionsGroup key={group} label={group} role="group" aria-label={group}>
            {shown
              .filter((command) => command.group === group)
              .map((command) => (
                <Option key={command.id} command={command} selected={command === current} onChoose={onChoose} />
              ))}
          </Spotlight.ActionsGroup>
        ))}
      </div>
      {shown.length === 0 && <Spotlight.Empty>{text.none}</Spotlight.Empty>}
      <VisuallyHidden role="status">{query === "" ? "" : text.found(shown.length)}</VisuallyHidden>
      <Spotlight.Footer className="palette-foot">
        <span>
          <KeyCaps keys="↑" /> <KeyCaps keys="↓" /> {text.foot.move}
        </span>
        <span>
          <KeyCaps keys="Enter" /> {text.foot.run}
        </span>
        <span>
          <KeyCaps keys="Escape" /> {text.foot.close}
        </span>
        {more && query === "" && <span className="palette-older">{text.older}</span>}
      </Spotlight.Footer>
    </>
  );
}

interface OptionProps {
  readonly command: Command;
  readonly selected: boolean;
  readonly onChoose: (command: Command) => void;
}

function Option({ command, selected, onChoose }: OptionProps) {
  const { label, off, key } = command;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the focus and the keys, as in every combobox
    // biome-ignore lint/a11y/useFocusableInteractive: the same
    <div
      id={optionId(command)}
      role="option"
      aria-selected={selected}
      aria-disabled={off !== null}
      className="palette-option"
      onMouseDown={(event) => event.preventDefault()}
      onClick={() => onChoose(command)}
    >
      <span className="palette-words">
        {label}
        {off !== null && <span className="palette-off">{off}</span>}
      </span>
      {key !== undefined && <KeyCaps keys={key} hidden />}
    </div>
  );
}

/** Drawn anew whenever anything changes that a command depends on. */
function useCommands(all: boolean): readonly Command[] {
  const desk = useDesk();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  useStudio("route", (state) => state);
  useStudio("device", (state) => state);
  useStudio("model", (state) => state);
  useStudio("picker", (state) => state.opening.state);
  useStudio("data", (state) => state);
  useStudio("recipe", (state) => state);
  useStudio("consequences", (state) => state.measuring.state);
  useStudio("training", (state) => state.phase);
  useStudio("trial", (state) => state);
  useStudio("rowLosses", (state) => state.phase);
  useStudio("library", (state) => state);
  const hands: Hands = {
    theme: colorScheme,
    setTheme: setColorScheme,
    showKeys: () => show("keys"),
    askToPaste: () => show("paste"),
    say: (said) => overlay.setState({ said }),
  };
  return commands(desk, hands, all);
}
