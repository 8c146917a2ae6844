/** A window whose file does not arrive takes nothing else of the page with it. */
import { lazy, Suspense } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, expect, it, vi } from "vitest";
import { Boundary, BrokenWindow } from "../../src/ui/components/boundary";
import { nothingOver, overlay } from "../../src/ui/stores/overlay";
import { strings } from "../../src/ui/strings";

const Missing = lazy(() => Promise.reject<{ default: () => null }>(new TypeError("Failed to fetch")));

afterEach(() => {
  vi.restoreAllMocks();
  overlay.setState(nothingOver);
});

it("is said and closed, and the rest stays", async () => {
  // React tells of what a boundary catches.
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const close = vi.fn();
  const place = document.body.appendChild(document.createElement("div"));
  const root = createRoot(place);
  root.render(
    <>
      <p>The run goes on.</p>
      <Boundary fallback={<BrokenWindow opened onClose={close} />}>
        <Suspense fallback={null}>
          <Missing />
        </Suspense>
      </Boundary>
    </>,
  );
  await expect.poll(() => overlay.getState().said).toBe(strings.frame.windowBroken);
  expect(close).toHaveBeenCalled();
  expect(place.textContent).toBe("The run goes on.");
  root.unmount();
  place.remove();
});
