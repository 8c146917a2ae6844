/** The page over the fake client, for pictures: `?state=first|busy|finished|failed|no-gpu`. Never part of a build. */
import type { ErrorData } from "../../src/worker/protocol";
import { createFakeClient, sampleRun } from "./fake-client";
import { mountStudio } from "./mount";

const state = new URLSearchParams(location.search).get("state") ?? "first";
const diverged: ErrorData = {
  code: "diverged",
  message: "The loss became infinite at step 7; a learning rate below 1e-3 usually cures this.",
  data: { step: 7 },
};

mountStudio(
  createFakeClient({
    pace: 4,
    holdAt: state === "busy" ? 19 : Number.POSITIVE_INFINITY,
    fallback: state !== "busy",
    fail: state === "failed" ? { train: diverged } : {},
    runs:
      state === "finished"
        ? [
            sampleRun,
            { ...sampleRun, id: "run-0", name: "cobalt-heron-7", state: "stopped", evalBefore: null, evalAfter: null },
          ]
        : [],
  }),
  { hasWebGpu: state !== "no-gpu" },
);
