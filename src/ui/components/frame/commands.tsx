/** The page's keys, and what they bring up: the command palette, the list of keys. Both are loaded at their first use. */

import { type MantineColorScheme, useMantineColorScheme } from "@mantine/core";
import { type HotkeyItem, useHotkeys, useLocalStorage } from "@mantine/hooks";
import { lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import { useStore } from "zustand";
import type { Desk } from "../../actions/desk";
import { pressGenerate, pressMain } from "../../actions/main-move";
import { covered } from "../../covered";
import { goTo } from "../../go-to";
import { nothingOver, overlay, say, show } from "../../stores/overlay";
import { steps } from "../../stores/route";
import { strings } from "../../strings";
import { useDesk } from "../../studio";
import { Boundary, BrokenWindow } from "../boundary";
import { PasteDialog } from "../data/paste-dialog";

const text = strings.keys;
const CommandPalette = lazy(async () => ({ default: (await import("./command-palette")).CommandPalette }));
const KeysDialog = lazy(async () => ({ default: (await import("./keys-dialog")).KeysDialog }));

const after: Readonly<Record<MantineColorScheme, MantineColorScheme>> = { light: "dark", dark: "auto", auto: "light" };
/** Milliseconds that what a key did stays to be read. */
const staying = 5000;
const close = (): void => show(null);

export function Commands() {
  const shown = useStore(overlay, (state) => state.shown);
  const [single, setSingle] = useLocalStorage({
    key: "tabtune.single-keys",
    defaultValue: true,
    getInitialValueInEffect: false,
  });
  usePageKeys();
  useSingleKeys(single !== false);
  useEffect(() => () => overlay.setState(nothingOver), []);
  return (
    <>
      <Once opened={shown === "palette"}>{(opened) => <CommandPalette opened={opened} />}</Once>
      <Once opened={shown === "keys"}>
        {(opened) => <KeysDialog opened={opened} onClose={close} single={single !== false} onSingle={setSingle} />}
      </Once>
      <Once opened={shown === "paste"}>{(opened) => <PasteDialog opened={opened} onClose={close} />}</Once>
      <Said />
    </>
  );
}

/** Keys with a modifier: in text fields too. */
function usePageKeys(): void {
  const desk = useDesk();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  useHotkeys(
    [
      [
        "mod + K",
        () => {
          if (overlay.getState().shown === "palette") close();
          else if (!covered()) show("palette");
        },
      ],
      [
        "mod + J",
        ({ repeat }) => {
          // A key held down would make the page flash.
          if (repeat) return;
          const next = after[colorScheme];
          setColorScheme(next);
          say(text.theme(strings.app.theme[next]));
        },
      ],
      ["mod + Enter", (event) => pressEnter(desk, event), { preventDefault: false }],
    ],
    [],
    true,
  );
}

/** Text areas and forms have their own use for Enter; only the settings' fields have none. */
function pressEnter(desk: Desk, event: KeyboardEvent): void {
  const { target } = event;
  if (event.repeat || event.defaultPrevented || covered() || !(target instanceof HTMLElement)) return;
  if (target.tagName === "TEXTAREA" || target.isContentEditable) return;
  if (target.tagName === "INPUT" && target.closest("#train") === null) return;
  const { step } = desk.stores.route.getState();
  if (step === "library") return;
  const refusal = step === "try" ? pressGenerate(desk) : pressMain(desk);
  if (refusal !== null) say(refusal);
}

/** Single characters: outside fields, with nothing lying over the page, and only as long as the person wants them. */
function useSingleKeys(wanted: boolean): void {
  const act =
    (run: () => void) =>
    (event: KeyboardEvent): void => {
      if (wanted && !event.defaultPrevented && !event.isComposing && !covered()) run();
    };
  const keys: readonly (readonly [string, () => void])[] = [
    ["?", () => show("keys")],
    ...steps.map((step, index) => [String(index + 1), () => goTo(step)] as const),
  ];
  // Some keyboards need Shift for "?", others for the digits.
  useHotkeys(
    keys.flatMap(([key, run]) =>
      [key, `shift + ${key}`].map((hotkey): HotkeyItem => [hotkey, act(run), { preventDefault: false }]),
    ),
  );
}

interface OnceProps {
  readonly opened: boolean;
  readonly children: (opened: boolean) => ReactNode;
}

/** Fetches what it holds when that is first opened, and keeps it from then on. */
function Once({ opened, children }: OnceProps) {
  const [used, setUsed] = useState(false);
  if (opened && !used) setUsed(true);
  return used ? (
    <Boundary fallback={<BrokenWindow opened={opened} onClose={close} />}>
      <Suspense fallback={null}>
        <Opening opened={opened}>{children}</Opening>
      </Suspense>
    </Boundary>
  ) : null;
}

/** Closed at first: a dialog notes where the focus was when it goes from closed to open. */
function Opening({ opened, children }: OnceProps) {
  const [there, setThere] = useState(false);
  useEffect(() => setThere(true), []);
  return children(opened && there);
}

function Said() {
  const said = useStore(overlay, (state) => state.said);
  useEffect(() => {
    if (said === "") return;
    const timer = setTimeout(() => say(""), staying);
    return () => clearTimeout(timer);
  }, [said]);
  return (
    <div role="status" className="key-said">
      {said !== "" && <span>{said}</span>}
    </div>
  );
}
