/** Everything that the command palette offers, read off the stores: what cannot be done now says why. */
import type { MantineColorScheme } from "@mantine/core";
import type { RunSummary } from "../../worker/protocol";
import { goTo } from "../go-to";
import { samples } from "../samples";
import { fits } from "../stores/library";
import { presetNames } from "../stores/presets";
import { fieldOrder } from "../stores/recipe";
import { type Step, steps } from "../stores/route";
import { wasTrained } from "../stores/run-settings";
import { isRunning } from "../stores/training";
import { strings } from "../strings";
import { acceptedFiles, chooseFiles, chooseSample, pasteText } from "./choose-data";
import { measureSpeed, speedKey, stopMeasuring } from "./consequences";
import { type Desk, userOfGpu } from "./desk";
import { duplicateRun, tryRun } from "./library";
import { downloadRun } from "./library-files";
import { mainMove, noGpu, noModel } from "./main-move";
import { openEmbeddedModel, selfCheck } from "./model";
import { applyPreset, settingsLink } from "./settings";
import { generateBoth, stopGenerating } from "./trial";

/** What a command needs of the page around it. */
export interface Hands {
  readonly theme: MantineColorScheme;
  readonly setTheme: (theme: MantineColorScheme) => void;
  readonly showKeys: () => void;
  /** A box to paste into, where the browser does not hand out the clipboard. */
  readonly askToPaste: () => void;
  readonly say: (sentence: string) => void;
}

export interface Command {
  readonly id: string;
  readonly group: string;
  readonly label: string;
  /** Other words by which it is found. */
  readonly keywords: string;
  /** Why it cannot be done now, as a sentence; null where it can. */
  readonly off: string | null;
  /** The key that does the same, as useHotkeys writes it. */
  readonly key?: string;
  readonly run: () => void;
}

const text = strings.keys;
const { groups, off, words } = text;
const themes = ["light", "dark", "auto"] as const;
/** Kept runs that are offered before anything is typed. */
export const runsAtFirst = 3;

/** In the order in which the palette shows them. Those of older runs are offered only where `all` is asked for. */
export function commands(desk: Desk, hands: Hands, all: boolean): readonly Command[] {
  const { runs } = desk.stores.library.getState();
  const offered = all ? runs : runs.slice(0, runsAtFirst);
  return [
    ...runCommands(desk),
    ...goCommands(desk),
    ...dataCommands(desk, hands),
    ...settingsCommands(desk, hands),
    ...modelCommands(desk),
    ...offered.flatMap((run) => keptCommands(desk, run)),
    ...pageCommands(hands),
  ];
}

/** Every word that was typed is among the command's own. */
export function matching(list: readonly Command[], query: string): readonly Command[] {
  const typed = query.toLowerCase().split(/\s+/).filter(Boolean);
  return list.filter(({ label, group, keywords }) => {
    const own = `${label} ${group} ${keywords}`.toLowerCase();
    return typed.every((word) => own.includes(word));
  });
}

const taken = (desk: Desk): string | null => {
  const user = userOfGpu(desk);
  return user === null ? null : off.taken[user];
};
const training = ({ stores }: Desk): string | null =>
  isRunning(stores.training.getState()) ? off.taken.training : null;

function runCommands(desk: Desk): readonly Command[] {
  const { stores } = desk;
  const { measuring } = stores.consequences.getState();
  const { running, prompt } = stores.trial.getState();
  const { runs, selected } = stores.library.getState();
  const busy = measuring.state === "busy";
  const opening = stores.picker.getState().opening.state === "busy" ? off.opening : null;
  const { takes } = strings.settings;
  const { trial } = strings;
  const noAnswer = runs.length === 0 ? off.noRuns : prompt.trim() === "" ? off.noPrompt : null;
  return [
    {
      ...mainMove(desk),
      id: "train",
      group: groups.run,
      keywords: words.train,
      // The key never stops a run.
      ...(isRunning(stores.training.getState()) ? {} : { key: "mod + Enter" }),
    },
    {
      id: "measure",
      group: groups.run,
      label: busy ? takes.cancel : takes.measure,
      keywords: words.measure,
      off: busy ? null : (noModel(desk) ?? taken(desk) ?? opening ?? (speedKey(desk) === null ? off.noSpeed : null)),
      run: () => {
        goTo("train");
        if (busy) stopMeasuring(desk);
        else void measureSpeed(desk);
      },
    },
    {
      id: "generate",
      group: groups.run,
      label: running ? `${trial.stop}: ${trial.generate}` : selected === null ? trial.generateBase : trial.generate,
      keywords: words.generate,
      off: running ? null : (noAnswer ?? noModel(desk) ?? taken(desk)),
      run: () => {
        goTo("try");
        if (running) stopGenerating(desk);
        else void generateBoth(desk);
      },
    },
  ];
}

function goCommands({ stores }: Desk): readonly Command[] {
  const { step: here } = stores.route.getState();
  const places: readonly Step[] = [...steps, "start"];
  return places.map((step, index) => ({
    id: `go-${step}`,
    group: groups.go,
    label: text.goTo(strings.frame.titles[step]),
    keywords: words.go,
    off: step === here ? off.here : null,
    ...(step === "start" ? {} : { key: String(index + 1) }),
    run: () => goTo(step),
  }));
}

function dataCommands(desk: Desk, { askToPaste }: Hands): readonly Command[] {
  const shared = { group: groups.data, off: training(desk) };
  return [
    {
      ...shared,
      id: "files",
      label: text.files,
      keywords: words.files,
      run: () => {
        goTo("data");
        pickFiles((files) => void chooseFiles(desk, files));
      },
    },
    {
      ...shared,
      id: "paste",
      label: text.paste,
      keywords: words.paste,
      run: () => {
        goTo("data");
        void paste(desk, askToPaste);
      },
    },
    ...samples.map((sample) => ({
      ...shared,
      id: `sample-${sample.id}`,
      label: text.sample(sample.title),
      keywords: `${words.sample} ${sample.description}`,
      run: () => {
        goTo("data");
        void chooseSample(desk, sample);
      },
    })),
  ];
}

async function paste(desk: Desk, ask: () => void): Promise<void> {
  let pasted: string;
  try {
    pasted = await navigator.clipboard.readText();
  } catch {
    ask();
    return;
  }
  await pasteText(desk, pasted);
}

function pickFiles(take: (files: readonly File[]) => void): void {
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  input.accept = acceptedFiles;
  input.addEventListener("change", () => take([...(input.files ?? [])]), { once: true });
  input.click();
}

function settingsCommands(desk: Desk, { say }: Hands): readonly Command[] {
  const { errors } = desk.stores.recipe.getState();
  const wrong = fieldOrder.find((field) => errors[field] !== undefined);
  const { presets } = strings.settings;
  return [
    ...presetNames.map((preset) => ({
      id: `preset-${preset}`,
      group: groups.settings,
      label: text.preset(presets[preset].label),
      keywords: `${words.preset} ${presets[preset].hint}`,
      off: training(desk),
      run: () => {
        goTo("train");
        applyPreset(desk, preset);
      },
    })),
    {
      id: "link",
      group: groups.settings,
      label: text.copyLink,
      keywords: words.link,
      off: wrong === undefined ? null : off.wrong(strings.fields[wrong].label),
      run: () => void copyLink(desk, say),
    },
  ];
}

async function copyLink(desk: Desk, say: Hands["say"]): Promise<void> {
  const link = settingsLink(desk);
  if (link === null) return;
  try {
    await navigator.clipboard.writeText(link);
    say(text.said.copied);
  } catch {
    say(text.said.notCopied);
  }
}

function modelCommands(desk: Desk): readonly Command[] {
  const { model, embedded } = desk.stores.model.getState();
  const unable = model.state === "ready" && !model.value.canSelfCheck ? strings.model.unavailable : null;
  const open = embedded && model.state === "ready" ? off.embedded : null;
  const fetching = desk.stores.picker.getState().opening.state === "busy" ? off.opening : null;
  const opening = model.state === "busy" ? off.opening : null;
  return [
    {
      id: "check",
      group: groups.model,
      label: strings.model.check,
      keywords: words.check,
      off: noModel(desk) ?? unable ?? taken(desk),
      run: () => {
        goTo("model");
        void selfCheck(desk);
      },
    },
    {
      id: "embedded",
      group: groups.model,
      label: strings.model.embedded,
      keywords: words.embedded,
      off: noGpu(desk) ?? open ?? taken(desk) ?? fetching ?? opening,
      run: () => {
        goTo("model");
        void openEmbeddedModel(desk);
      },
    },
  ];
}

function keptCommands(desk: Desk, run: RunSummary): readonly Command[] {
  const { id, name, model } = run;
  const fitting = fits(run, desk.stores.model.getState().model);
  const working = desk.stores.library.getState().working !== null;
  const group = groups.runs;
  return [
    {
      id: `try-${id}`,
      group,
      label: text.tryRun(name),
      keywords: words.runTry,
      off: fitting ? null : strings.library.otherModel(model),
      run: () => tryRun(desk, id),
    },
    {
      id: `download-${id}`,
      group,
      label: text.downloadRun(name),
      keywords: words.runDownload,
      off: working ? off.working : null,
      run: () => void downloadRun(desk, id),
    },
    {
      id: `settings-${id}`,
      group,
      label: text.settingsOf(name),
      keywords: words.runSettings,
      off: wasTrained(run) ? training(desk) : off.imported,
      run: () => duplicateRun(desk, run),
    },
  ];
}

function pageCommands({ theme, setTheme, showKeys }: Hands): readonly Command[] {
  return [
    ...themes.map((name) => ({
      id: `theme-${name}`,
      group: groups.page,
      label: text.theme(strings.app.theme[name]),
      keywords: words.theme,
      off: name === theme ? off.chosen : null,
      run: () => setTheme(name),
    })),
    { id: "keys", group: groups.page, label: text.showKeys, keywords: words.keys, off: null, key: "?", run: showKeys },
  ];
}
