/** Where a part of the page cannot be fetched or drawn, the rest of the page goes on: a run, and the way to stop it, above all. */
import { Component, type ReactNode, useEffect } from "react";
import { say } from "../stores/overlay";
import { strings } from "../strings";
import { ErrorNote } from "./error-note";

interface Props {
  readonly children: ReactNode;
  readonly fallback: ReactNode;
}

/** React knows error boundaries as classes only. */
export class Boundary extends Component<Props, { readonly failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { readonly failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    return this.state.failed ? this.props.fallback : this.props.children;
  }
}

/** In the place of a step, or of the whole page. */
export function BrokenPart() {
  return (
    <ErrorNote
      error={{ code: "internal", message: strings.frame.broken, data: {} }}
      action={{ label: strings.device.reload, run: () => location.reload() }}
    />
  );
}

/** In the place of a window over the page: it is said, and the window counts as closed. */
export function BrokenWindow({ opened, onClose }: { readonly opened: boolean; readonly onClose: () => void }) {
  useEffect(() => {
    if (!opened) return;
    say(strings.frame.windowBroken);
    onClose();
  }, [opened, onClose]);
  return null;
}
