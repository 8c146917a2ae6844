/** The whole page over a fake client, for component tests and pictures. */
import { createRoot } from "react-dom/client";
import { createDesk, type Desk, type Environment } from "../../src/ui/actions/desk";
import { startUp } from "../../src/ui/actions/startup";
import { App } from "../../src/ui/app";
import { hashOf, type Step } from "../../src/ui/stores/route";
import { StudioProvider } from "../../src/ui/studio";
import "../../src/ui/styles";
import { Theme } from "../../src/ui/theme";
import type { StudioClient } from "../../src/worker/protocol";

const row = '{"prompt":"Hello?","completion":"Ahoy!"}\n';

const fakeEnvironment: Environment = {
  secureContext: true,
  hasWebGpu: true,
  deviceMemory: 8,
  loadSample: async ({ file, heldOut }) => ({
    data: { name: file, blob: new Blob([row.repeat(120)]) },
    heldOut: { name: heldOut, blob: new Blob([row.repeat(12)]) },
  }),
};

export interface Mounted {
  readonly desk: Desk;
  unmount(): void;
}

/** Changes the address without a new entry in the history and without a word to the page. */
export const setHash = (hash: string): void =>
  history.replaceState(null, "", `${location.pathname}${location.search}${hash}`);

/** Without a step the page opens where the address says; after it, no hash is left for the next test. */
export function mountStudio(
  client: StudioClient,
  environment: Partial<Environment> = {},
  step: Step | null = null,
): Mounted {
  if (step !== null) setHash(hashOf(step));
  const desk = createDesk(client, { ...fakeEnvironment, ...environment });
  const leave = startUp(desk);
  const place = document.body.appendChild(document.createElement("div"));
  const root = createRoot(place);
  root.render(
    <Theme>
      <StudioProvider desk={desk}>
        <App />
      </StudioProvider>
    </Theme>,
  );
  return {
    desk,
    unmount() {
      leave();
      root.unmount();
      place.remove();
      setHash("");
    },
  };
}
