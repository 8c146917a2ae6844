/** Keys as they are printed on the keyboard at hand. */
import { useOs } from "@mantine/hooks";

const names: Readonly<Record<string, string>> = {
  Enter: "Enter",
  Escape: "Esc",
  PageUp: "Page Up",
  PageDown: "Page Down",
};

/** "mod + K": ⌘ K on a Mac, Ctrl K elsewhere. */
export function KeyCaps({ keys, hidden = false }: { readonly keys: string; readonly hidden?: boolean }) {
  const os = useOs({ getValueInEffect: false });
  const mod = os === "macos" || os === "ios" ? "⌘" : "Ctrl";
  return (
    <span className="key-caps" aria-hidden={hidden}>
      {keys.split(" + ").map((key) => (
        <kbd key={key}>{key === "mod" ? mod : (names[key] ?? key)}</kbd>
      ))}
    </span>
  );
}
