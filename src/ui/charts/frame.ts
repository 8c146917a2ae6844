/** Drawing at most once a frame, however often it is asked for. */

export interface OncePerFrame {
  ask(): void;
  cancel(): void;
}

export function oncePerFrame(draw: () => void): OncePerFrame {
  let frame: number | null = null;
  return {
    ask() {
      frame ??= requestAnimationFrame(() => {
        frame = null;
        draw();
      });
    },
    cancel() {
      if (frame !== null) cancelAnimationFrame(frame);
      frame = null;
    },
  };
}
