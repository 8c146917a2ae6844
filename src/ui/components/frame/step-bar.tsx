/** The steps, always in reach, each with its state: where the person is, what is done, what needs attention. */
import { VisuallyHidden } from "@mantine/core";
import {
  Boxes,
  CircleAlert,
  CircleCheck,
  Database,
  Library,
  LoaderCircle,
  MessagesSquare,
  SlidersHorizontal,
} from "lucide-react";
import { hashOf, type steps } from "../../stores/route";
import { type Mark, type StepState, stepStates } from "../../stores/step-states";
import { strings } from "../../strings";
import { useStudio } from "../../studio";

const text = strings.frame;
type Name = (typeof steps)[number];
const icons = { model: Boxes, data: Database, train: SlidersHorizontal, try: MessagesSquare, library: Library };
const markIcons = { done: CircleCheck, busy: LoaderCircle, wrong: CircleAlert, open: null };

export function StepBar() {
  const device = useStudio("device", (state) => state);
  const model = useStudio("model", (state) => state);
  const picker = useStudio("picker", (state) => state);
  const data = useStudio("data", (state) => state);
  const recipe = useStudio("recipe", (state) => state);
  const training = useStudio("training", (state) => state);
  const trial = useStudio("trial", (state) => state);
  const rowLosses = useStudio("rowLosses", (state) => state);
  const library = useStudio("library", (state) => state);
  const states = stepStates({ device, model, picker, data, recipe, training, trial, rowLosses, library });
  return (
    <nav aria-label={text.steps} className="steps">
      <ol>
        <StepLink name="model" state={states.model} />
        <StepLink name="data" state={states.data} />
        <StepLink name="train" state={states.train} />
        <StepLink name="try" state={states.try} />
        <StepLink name="library" state={states.library} />
      </ol>
    </nav>
  );
}

function StepLink({ name, state }: { readonly name: Name; readonly state: StepState }) {
  const here = useStudio("route", ({ step }) => step === name);
  const Icon = icons[name];
  return (
    <li>
      <a href={hashOf(name)} aria-current={here ? "page" : undefined} className={`step ${state.mark}`}>
        <Icon size={20} aria-hidden className="step-icon" />
        <span className="step-title">
          {text.titles[name]}
          <MarkIcon mark={state.mark} />
        </span>
        <span className="step-state numbers">{state.text}</span>
      </a>
    </li>
  );
}

function MarkIcon({ mark }: { readonly mark: Mark }) {
  const Icon = markIcons[mark];
  if (Icon === null) return null;
  return (
    <>
      <Icon size={14} aria-hidden className={`step-mark ${mark}`} />
      <VisuallyHidden>, {text.marks[mark]}, </VisuallyHidden>
    </>
  );
}
