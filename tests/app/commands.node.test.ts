/** The list of commands, read off the stores of a desk: labels, what is off and why, and how one is found. */
import { describe, expect, it } from "vitest";
import { commands, type Hands, matching, runsAtFirst } from "../../src/ui/actions/commands";
import { createDesk, type Desk } from "../../src/ui/actions/desk";
import { noTraining } from "../../src/ui/stores/training";
import { createFakeClient, sampleRun } from "../support/fake-client";
import { severalRuns } from "../support/fake-library";

const newDesk = (hasWebGpu = true): Desk =>
  createDesk(createFakeClient(), {
    secureContext: true,
    hasWebGpu,
    deviceMemory: 8,
    loadSample: () => Promise.reject(new TypeError("no sample here")),
  });

const hands: Hands = { theme: "dark", setTheme() {}, showKeys() {}, askToPaste() {}, say() {} };
const list = (desk: Desk, all = true) => commands(desk, hands, all);
function get(desk: Desk, id: string) {
  const found = list(desk).find((command) => command.id === id);
  if (found === undefined) throw new TypeError(`no command ${id}`);
  return found;
}

describe("the commands", () => {
  it("are many, each with an id, a label and a group of its own", () => {
    const desk = newDesk();
    desk.stores.library.setState({ runs: severalRuns(sampleRun) });
    const all = list(desk);
    expect(all.length).toBeGreaterThan(24);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(new Set(all.map(({ label }) => label)).size).toBe(all.length);
    expect(all.filter(({ label, group }) => label === "" || group === "")).toEqual([]);
  });

  it("say in a sentence why they are off", () => {
    for (const desk of [newDesk(), newDesk(false)]) {
      const reasons = list(desk).flatMap(({ off }) => off ?? []);
      expect(reasons.length).toBeGreaterThan(4);
      for (const reason of reasons) expect(reason).toMatch(/^[A-Z].*\.$/s);
    }
    expect(get(newDesk(false), "train").off).toBe("Training needs WebGPU.");
    expect(get(newDesk(false), "check").off).toBe("Training needs WebGPU.");
    expect(get(newDesk(), "generate").off).toBe("There is no kept run yet; train first.");
    expect(get(newDesk(), "theme-dark").off).toBe("Chosen now.");
    expect(get(newDesk(), "theme-light").off).toBeNull();
    expect(get(newDesk(), "go-start").off).toBe("This step is shown now.");
  });

  it("change with a run: training becomes stopping, and what it would disturb is off", () => {
    const desk = newDesk();
    desk.stores.training.setState({ ...noTraining, phase: "training" });
    expect(get(desk, "train")).toMatchObject({ label: "Stop and keep", off: null });
    expect(get(desk, "preset-quick").off).toBe("A run is under way.");
    expect(get(desk, "sample-orders").off).toBe("A run is under way.");
    desk.stores.training.setState({ phase: "stopping" });
    expect(get(desk, "train").off).toBe("The run stops after this step.");
  });

  it("name the setting that is wrong", () => {
    const desk = newDesk();
    desk.stores.recipe.setState({ errors: { rank: "too large" } });
    expect(get(desk, "link").off).toBe("Rank is wrong; mend it under Train.");
  });

  it("offer each kept run, the newest ones at first", () => {
    const desk = newDesk();
    const imported = { ...sampleRun, id: "run-9", name: "grey-goose-9", steps: 0 };
    desk.stores.library.setState({ runs: [imported, ...severalRuns(sampleRun)] });
    expect(get(desk, "settings-run-9").off).toMatch(/^It was imported/);
    expect(get(desk, "download-run-9").off).toBeNull();
    const kept = (all: boolean): number => list(desk, all).filter(({ group }) => group === "Kept runs").length;
    expect(kept(false)).toBe(3 * runsAtFirst);
    expect(kept(true)).toBe(3 * desk.stores.library.getState().runs.length);
  });
});

describe("finding one", () => {
  const labels = (query: string): readonly string[] => matching(list(newDesk()), query).map(({ label }) => label);

  it.each([
    ["thorough", ["Preset: Thorough"]],
    ["COLOUR dark", ["Colour scheme: Dark"]],
    ["clipboard", ["Paste data"]],
    ["pirate sample", ["Use the sample “Pirate talk”"]],
    ["shortcuts", ["Show all keys"]],
    ["zebra", []],
  ])("%s", (query, expected) => {
    expect(labels(query)).toEqual(expected);
  });

  it("finds training first where “train” is typed", () => {
    expect(labels("train")[0]).toBe("Start training");
    expect(labels("")).toHaveLength(list(newDesk()).length);
  });
});
