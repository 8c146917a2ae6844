/** Where a step's file cannot be fetched or its drawing fails, the page says so there and the other steps go on. */
import { Component, type ReactNode } from "react";
import { strings } from "../../strings";
import { ErrorNote } from "../error-note";

interface Props {
  readonly children: ReactNode;
}

/** React knows error boundaries as classes only. */
export class ScreenBoundary extends Component<Props, { readonly failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { readonly failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <ErrorNote
        error={{ code: "internal", message: strings.shape.broken, data: {} }}
        action={{ label: strings.device.reload, run: () => location.reload() }}
      />
    );
  }
}
