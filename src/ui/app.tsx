/** The studio's one page: Model → Data → Train → Try → Library. */
import { useEffect } from "react";
import { GpuNote } from "./components/gpu-note";
import { Header } from "./components/header";
import { DataScreen } from "./screens/data";
import { LibraryScreen } from "./screens/library";
import { ModelScreen } from "./screens/model";
import { TrainScreen } from "./screens/train";
import { TryScreen } from "./screens/try";
import { isRunning } from "./stores/training";
import { strings } from "./strings";
import { useStudio } from "./studio";

export function App() {
  useGuard();
  return (
    <>
      <a href="#train" className="skip-link">
        {strings.app.skip}
      </a>
      <Header />
      <main className="page">
        <GpuNote />
        <div className="bench">
          <div className="bench-side">
            <ModelScreen />
            <DataScreen />
          </div>
          <div className="bench-side">
            <TrainScreen />
            <TryScreen />
            <LibraryScreen />
          </div>
        </div>
      </main>
    </>
  );
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
