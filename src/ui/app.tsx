/** The studio's page: the steps Model → Data → Train → Try and the Library, one shown at a time; all work goes on behind. */
import { VisuallyHidden } from "@mantine/core";
import { Activity, type ComponentType, lazy, Suspense, useEffect, useState } from "react";
import { Boundary, BrokenPart } from "./components/boundary";
import { Announced } from "./components/frame/announcer";
import { Commands } from "./components/frame/commands";
import { Dock } from "./components/frame/dock";
import { DropAnywhere } from "./components/frame/drop-anywhere";
import { GpuNote } from "./components/frame/gpu-note";
import { Header } from "./components/frame/header";
import { StepBar } from "./components/frame/step-bar";
import { SettingsFromLink } from "./components/settings/share";
import { covered } from "./covered";
import { StartScreen } from "./screens/start";
import { type Step, steps } from "./stores/route";
import { isRunning } from "./stores/training";
import { strings } from "./strings";
import { useStudio } from "./studio";

/** Each in a file of its own that is fetched when its step is first shown. */
const screens: Readonly<Record<(typeof steps)[number], ComponentType>> = {
  model: lazy(async () => ({ default: (await import("./screens/model")).ModelScreen })),
  data: lazy(async () => ({ default: (await import("./screens/data")).DataScreen })),
  train: lazy(async () => ({ default: (await import("./screens/train")).TrainScreen })),
  try: lazy(async () => ({ default: (await import("./screens/try")).TryScreen })),
  library: lazy(async () => ({ default: (await import("./screens/library")).LibraryScreen })),
};

export function App() {
  useGuard();
  useTitle();
  const step = useStudio("route", (state) => state.step);
  return (
    <div className="studio">
      <button type="button" className="skip-link" onClick={() => focusHeading(step)}>
        {strings.app.skip}
      </button>
      <Header />
      <StepBar />
      <main className="page">
        <Note step={step} />
        {step === "start" && (
          <>
            <Arrive step="start" />
            <StartScreen />
          </>
        )}
        <Screens shown={step} />
      </main>
      <Dock />
      <DropAnywhere />
      <SettingsFromLink />
      <Announced />
      <Commands />
    </div>
  );
}

/** That training will be slow is told where the person begins; what stands in the way of it, everywhere. */
function Note({ step }: { readonly step: Step }) {
  const slow = useStudio(
    "device",
    ({ device, lost }) => lost === null && device.state === "ready" && device.value.isFallback,
  );
  return slow && step !== "start" && step !== "model" ? null : <GpuNote />;
}

/** Steps that were shown once stay as they were left, hidden, so that nothing typed or opened is lost. */
function Screens({ shown }: { readonly shown: Step }) {
  const [seen, setSeen] = useState<ReadonlySet<Step>>(new Set([shown]));
  if (!seen.has(shown)) setSeen(new Set([...seen, shown]));
  return steps
    .filter((step) => seen.has(step) || step === shown)
    .map((step) => {
      const Screen = screens[step];
      return (
        <Activity key={step} mode={step === shown ? "visible" : "hidden"}>
          <Boundary fallback={<BrokenPart />}>
            <Suspense fallback={<Waiting />}>
              <Arrive step={step} />
              <Screen />
            </Suspense>
          </Boundary>
        </Activity>
      );
    });
}

const Waiting = () => (
  <div className="screen-waiting">
    <VisuallyHidden role="status">{strings.app.loading}</VisuallyHidden>
  </div>
);

/** At a step that the person came to, reading begins at its heading. */
function Arrive({ step }: { readonly step: Step }) {
  const turns = useStudio("route", (state) => state.turns);
  useEffect(() => {
    if (turns === 0) return;
    window.scrollTo(0, 0);
    // Back and forward work under an open dialog too, which keeps the focus.
    if (!covered()) focusHeading(step);
  }, [turns, step]);
  return null;
}

function focusHeading(step: Step): void {
  document.querySelector<HTMLElement>(`#${step} h2`)?.focus({ preventScroll: true });
}

/** The tab's name says the step, and during a run how far it is. */
function useTitle(): void {
  const step = useStudio("route", (state) => state.step);
  const percent = useStudio("training", (state) =>
    isRunning(state) && state.steps > 0 ? Math.floor((100 * state.step) / state.steps) : null,
  );
  useEffect(() => {
    const title = strings.frame.titles[step];
    document.title =
      step === "start" && percent === null ? strings.app.name : strings.frame.windowTitle(title, percent);
  }, [step, percent]);
}

/** Asks before the tab is closed or reloaded over a run. */
function useGuard(): void {
  const running = useStudio("training", isRunning);
  useEffect(() => {
    if (!running) return;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [running]);
}
