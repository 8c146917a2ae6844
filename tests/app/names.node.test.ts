/** Run names: their form, and that a taken one is never given again. */
import { describe, expect, it } from "vitest";
import { runName } from "../../src/worker/storage/names";

describe("runName", () => {
  it("is colour-animal-number, fit for a file name", () => {
    for (let i = 0; i < 200; i++) expect(runName(new Set())).toMatch(/^[a-z]+-[a-z]+-[1-9][0-9]?$/);
  });

  it("steps past taken names", () => {
    const first = runName(new Set(), () => 0.5);
    const second = runName(new Set([first]), () => 0.5);
    const third = runName(new Set([first, second]), () => 0.5);
    expect(new Set([first, second, third]).size).toBe(3);
  });
});
