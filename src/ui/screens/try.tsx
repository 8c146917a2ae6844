/** One prompt, two answers: the base model's and the tuned one's; below them, the losses of single rows. */
import { Button, Text } from "@mantine/core";
import { ArrowRight, Sparkles, Square } from "lucide-react";
import { generateBoth, stopGenerating } from "../actions/trial";
import { ErrorNote } from "../components/error-note";
import { Section } from "../components/section";
import { TryAnswers } from "../components/try/answers";
import { TryPrompt } from "../components/try/prompt";
import { TryRows } from "../components/try/rows";
import { TryRun } from "../components/try/run";
import { TrySampling } from "../components/try/sampling";
import { goTo } from "../go-to";
import { readSampling } from "../stores/sampling";
import { strings } from "../strings";
import { useDesk, useGpuUser, useStudio } from "../studio";

const text = strings.trial;
const reasonId = "try-reason";

export function TryScreen() {
  const desk = useDesk();
  const error = useStudio("trial", (state) => state.error);
  const loaded = useStudio("library", (state) => state.loaded);
  const none = useStudio("library", ({ runs }) => runs.length === 0);
  const selected = useStudio("library", (state) => state.selected);
  if (none) {
    return (
      <Section id="try" title={text.title}>
        {loaded && <ToTraining reason={text.empty} />}
      </Section>
    );
  }
  return (
    <>
      <Section id="try" title={text.title}>
        <div className="try">
          {selected === null && <ToTraining reason={text.noneFits} />}
          <div className="try-controls">
            <div className="try-side">
              <TryPrompt />
              <Go />
            </div>
            <div className="try-side">
              <TryRun />
              <TrySampling />
            </div>
          </div>
          {error !== null && (
            <ErrorNote error={error} action={{ label: strings.errors.retry, run: () => void generateBoth(desk) }} />
          )}
          <TryAnswers />
        </div>
      </Section>
      {selected !== null && <TryRows />}
    </>
  );
}

function ToTraining({ reason }: { readonly reason: string }) {
  return (
    <div className="try-side">
      <Text size="sm" c="dimmed" maw="44em">
        {reason}
      </Text>
      <Button
        variant="default"
        className="start"
        rightSection={<ArrowRight size={16} aria-hidden />}
        onClick={() => goTo("train")}
      >
        {text.toTrain}
      </Button>
    </div>
  );
}

/** Why the answers have to wait; null where they need not. */
function useReason(): string | null {
  const user = useGpuUser();
  const prompt = useStudio("trial", (state) => state.prompt);
  const sampling = useStudio("trial", (state) => state.sampling);
  const lost = useStudio("device", (state) => state.lost !== null);
  const modelReady = useStudio("model", (state) => state.model.state === "ready");
  if (lost) return `${strings.train.main.noGpu}.`;
  if (!modelReady) return text.blocked.model;
  const [wrong] = Object.values(readSampling(sampling).errors);
  if (wrong !== undefined) return wrong;
  if (prompt.trim() === "") return text.blocked.prompt;
  return user === null ? null : text.waits[user];
}

function Go() {
  const desk = useDesk();
  const running = useStudio("trial", (state) => state.running);
  const selected = useStudio("library", (state) => state.selected);
  const reason = useReason();
  const why = running ? null : reason;
  return (
    <div className="try-go">
      {/* One button that changes its word, so that it keeps the focus. */}
      <Button
        color={running ? "red" : "indigo"}
        onClick={() => (running ? stopGenerating(desk) : void generateBoth(desk))}
        disabled={why !== null}
        aria-describedby={why === null ? undefined : reasonId}
        leftSection={running ? <Square size={16} aria-hidden /> : <Sparkles size={16} aria-hidden />}
      >
        {running ? text.stop : selected === null ? text.generateBase : text.generate}
      </Button>
      <Text size="xs" className={why === null ? "faint" : "warning wrap"} id={reasonId}>
        {why ?? (running ? "" : text.shortcut)}
      </Text>
    </div>
  );
}
