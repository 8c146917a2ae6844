/** A dialog with a title and a way out. Its window loads when it is first opened. */
import { lazy, Suspense, useState } from "react";
import { Boundary, BrokenWindow } from "./boundary";
import type { DialogProps } from "./dialog-window";

const Window = lazy(() => import("./dialog-window"));

export function Dialog(props: DialogProps) {
  const [wanted, setWanted] = useState(props.opened);
  if (props.opened && !wanted) setWanted(true);
  return (
    wanted && (
      <Boundary fallback={<BrokenWindow opened={props.opened} onClose={props.onClose} />}>
        <Suspense fallback={null}>
          <Window {...props} />
        </Suspense>
      </Boundary>
    )
  );
}
