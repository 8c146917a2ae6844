/** The window of a dialog. Mantine's own header is a landmark, and a page may have one banner only. */
import { CloseButton, Modal } from "@mantine/core";
import type { ReactNode } from "react";
import { strings } from "../strings";

export interface DialogProps {
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly title: string;
  readonly children: ReactNode;
  /** Fills the window. */
  readonly whole?: boolean;
}

export default function DialogWindow({ opened, onClose, title, children, whole = false }: DialogProps) {
  return (
    <Modal.Root opened={opened} onClose={onClose} size="lg" fullScreen={whole}>
      <Modal.Overlay />
      <Modal.Content>
        <Modal.Body className={whole ? "dialog large" : "dialog"}>
          <div className="dialog-head">
            <Modal.Title fw={600} lh={1.3}>
              {title}
            </Modal.Title>
            <CloseButton onClick={onClose} aria-label={strings.app.close} />
          </div>
          {children}
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
