/** The page's entry: the real client, the real browser around it. */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createClient } from "../worker/client";
import { StudioError } from "../worker/errors";
import { createDesk } from "./actions/desk";
import { startUp } from "./actions/startup";
import { App } from "./app";
import { Boundary, BrokenPart } from "./components/boundary";
import { UpdateNote } from "./components/frame/update-note";
import { workOffline } from "./offline";
import { strings } from "./strings";
import { StudioProvider } from "./studio";
import "./styles";
import { Theme } from "./theme";

async function fetchBlob(path: string): Promise<Blob> {
  const response = await fetch(new URL(path, document.baseURI));
  if (!response.ok) throw new StudioError("internal", strings.errors.sampleMissing, { path, status: response.status });
  return response.blob();
}

const desk = createDesk(createClient(), {
  secureContext: isSecureContext,
  hasWebGpu: "gpu" in navigator,
  deviceMemory:
    "deviceMemory" in navigator && typeof navigator.deviceMemory === "number" ? navigator.deviceMemory : null,
  async loadSample({ file, heldOut }) {
    const [data, rest] = await Promise.all([fetchBlob(`datasets/${file}`), fetchBlob(`datasets/${heldOut}`)]);
    return { data: { name: file, blob: data }, heldOut: { name: heldOut, blob: rest } };
  },
});

// Outside React: the page starts once, however often its tree is mounted.
startUp(desk);
workOffline(desk.stores.model);

const root = document.getElementById("root");
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <Theme>
        <StudioProvider desk={desk}>
          <UpdateNote />
          <Boundary fallback={<BrokenPart />}>
            <App />
          </Boundary>
        </StudioProvider>
      </Theme>
    </StrictMode>,
  );
}
