/** The note that a new version waits: said, reached by keyboard, never over a run. */
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { createDesk, type Desk } from "../../src/ui/actions/desk";
import { UpdateNote } from "../../src/ui/components/frame/update-note";
import { updates } from "../../src/ui/offline";
import { StudioProvider } from "../../src/ui/studio";
import "../../src/ui/styles";
import { Theme } from "../../src/ui/theme";
import { createFakeClient } from "../support/fake-client";
import { violations } from "../support/page-kit";

let desk: Desk;
let root: Root;
let place: HTMLElement;

beforeEach(() => {
  desk = createDesk(createFakeClient({}), {
    secureContext: true,
    hasWebGpu: true,
    deviceMemory: 8,
    loadSample: () => expect.fail("No sample is asked for."),
  });
  place = document.body.appendChild(document.createElement("div"));
  root = createRoot(place);
  root.render(
    <Theme>
      <StudioProvider desk={desk}>
        <UpdateNote />
      </StudioProvider>
    </Theme>,
  );
});
afterEach(() => {
  root.unmount();
  place.remove();
  updates.setState({ apply: null, isKept: true });
});

it("says nothing while there is nothing to say, and reloads when asked to", async () => {
  const status = page.getByRole("status");
  await expect.element(status).toBeInTheDocument();
  expect(status.element().textContent).toBe("");
  const apply = vi.fn();
  updates.setState({ apply });
  await expect.element(status).toHaveTextContent("A new version is ready.");
  await userEvent.tab();
  await userEvent.keyboard("{Enter}");
  expect(apply).toHaveBeenCalledTimes(1);
  expect(await violations()).toEqual([]);
});

it("says that the new version needs a connection where it could not be kept", async () => {
  updates.setState({ apply: vi.fn(), isKept: false });
  await expect.element(page.getByText("not all of its files could be kept")).toBeVisible();
  await expect.element(page.getByText("Reload to use it while there is a connection")).toBeVisible();
  await expect.element(page.getByRole("button", { name: "Reload" })).toBeEnabled();
  expect(await violations()).toEqual([]);
});

it("waits for the end of a run", async () => {
  updates.setState({ apply: vi.fn() });
  desk.stores.training.setState({ phase: "training" });
  const reload = page.getByRole("button", { name: "Reload" });
  await expect.element(reload).toBeDisabled();
  await expect.element(page.getByText("It can be loaded when the run has ended.")).toBeVisible();
  desk.stores.training.setState({ phase: "finished" });
  await expect.element(reload).toBeEnabled();
});
