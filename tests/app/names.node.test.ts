/** Run names: their form, and that a taken one is never given again. */
import { describe, expect, it } from "vitest";
import { freeName, runName } from "../../src/worker/storage/names";

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

describe("freeName", () => {
  it("is the wanted one where it is free, up to the longest", () => {
    expect(freeName(" amber ", [])).toBe("amber");
    expect(freeName("x".repeat(80), ["amber"])).toBe("x".repeat(80));
  });

  it("is numbered where it is taken, and shortened where it must be", () => {
    expect(freeName("Amber", ["amber", "amber 2"])).toBe("Amber 3");
    expect(freeName("x".repeat(80), ["x".repeat(80)])).toBe("x".repeat(72));
    expect(freeName("x".repeat(200), [])).toBe("x".repeat(72));
  });

  it("is a memorable one where the wanted one cannot be used", () => {
    for (const wanted of ["", " ", "a\u202eb"]) expect(freeName(wanted, [])).toMatch(/^[a-z]+-[a-z]+-\d+$/);
  });
});
