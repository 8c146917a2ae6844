/** A control that takes another's place takes its focus too, which the browser drops with the control that goes. */
import { type RefObject, useEffect, useRef } from "react";

export function useLostFocus<T extends HTMLElement>(): RefObject<T | null> {
  const ref = useRef<T>(null);
  useEffect(() => {
    if (document.activeElement === null || document.activeElement === document.body) {
      ref.current?.focus({ preventScroll: true });
    }
  }, []);
  return ref;
}
