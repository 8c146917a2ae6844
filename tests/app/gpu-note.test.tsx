/** Each reason why there is no GPU over the fake client: said, with what to do and what still works; and that it does. */
import axe from "axe-core";
import { afterEach, describe, expect, it } from "vitest";
import { page } from "vitest/browser";
import type { BrowserFacts } from "../../src/ui/browser-facts";
import type { FakeOptions } from "../support/fake-client";
import { sampleRun } from "../support/fake-client";
import { button, dropLabel, fakeStudio, go, jsonl, seen, shown, upload } from "../support/page-kit";

const { open, desk } = fakeStudio("start");
afterEach(async () => {
  localStorage.clear();
  await page.viewport(1200, 800);
});

const windows: BrowserFacts = {
  engine: "chromium",
  name: "Chrome",
  version: 150,
  platform: "windows",
  renderer: "ANGLE (NVIDIA, NVIDIA GeForce RTX 3060 Direct3D11 vs_5_0 ps_5_0, D3D11)",
};
const phone: BrowserFacts = { engine: "safari", name: "Safari", version: 17, platform: "ios", renderer: "Apple GPU" };

const failing = (data: Readonly<Record<string, string | number>>): FakeOptions => ({
  fail: { probe: { code: "gpu", message: "The GPU refuses to open: driver too old.", data } },
});

interface Case {
  readonly name: string;
  readonly options?: FakeOptions;
  readonly environment?: { readonly hasWebGpu?: boolean; readonly secureContext?: boolean };
  readonly browser?: BrowserFacts;
  readonly title: string;
  readonly todo: string | RegExp;
  readonly buttons: readonly string[];
}

const cases: readonly Case[] = [
  {
    name: "plain address",
    environment: { hasWebGpu: false, secureContext: false },
    title: "WebGPU is switched off on this address",
    todo: /^Open this page by https,/,
    buttons: ["Try https"],
  },
  {
    name: "old browser",
    environment: { hasWebGpu: false },
    browser: { ...windows, version: 109 },
    title: "This version of Chrome has no WebGPU",
    todo: "Update Chrome, restart it, and come back.",
    buttons: [],
  },
  {
    name: "old phone",
    environment: { hasWebGpu: false },
    browser: phone,
    title: "This version of iOS has no WebGPU",
    todo: /^Update the system/,
    buttons: [],
  },
  {
    name: "no API in the worker",
    options: failing({ reason: "no-api" }),
    title: "This browser has WebGPU, but not where the work is done",
    todo: /^Update the browser/,
    buttons: [],
  },
  {
    name: "blocklisted",
    options: failing({ reason: "no-adapter" }),
    title: "The browser keeps WebGPU from this GPU",
    todo: /^Bring the graphics driver up to date/,
    buttons: ["Copy chrome://gpu"],
  },
  {
    name: "acceleration off",
    options: failing({ reason: "no-adapter" }),
    browser: { ...windows, renderer: null },
    title: "The browser draws without a GPU",
    todo: "Switch on “Use graphics acceleration when available”.",
    buttons: ["Copy chrome://settings/system"],
  },
  {
    name: "Linux",
    options: failing({ reason: "no-adapter" }),
    browser: { ...windows, platform: "linux", renderer: "ANGLE (AMD, AMD Radeon RX 580, OpenGL 4.6)" },
    title: "On Linux the browser keeps WebGPU from this GPU",
    todo: /^Open chrome:\/\/flags by the address bar/,
    buttons: ["Copy chrome://flags"],
  },
  {
    name: "refused",
    options: failing({ reason: "refused" }),
    title: "WebGPU is here, but no graphics device opened",
    todo: "The browser says: The GPU refuses to open: driver too old.",
    buttons: ["Reload the page"],
  },
  {
    name: "limit",
    options: failing({ reason: "limit", limit: "maxStorageBuffersPerShaderStage", needed: 8, offered: 4 }),
    title: "This GPU is too small for the computation",
    todo: "It offers 4 of maxStorageBuffersPerShaderStage, and the computation needs 8.",
    buttons: [],
  },
];

/** Of the note itself; the steps around it have tests of their own. */
async function faults(): Promise<string[]> {
  const { violations, passes } = await axe.run(".gpu-note");
  expect(passes.length).toBeGreaterThan(0);
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
}

function openCase({ options = {}, environment = {}, browser = windows }: Case): void {
  open(options, environment);
  desk().stores.device.setState({ browser });
}

describe("without a GPU", () => {
  it.each(cases)("the reason is told apart, with what to do and what still works: $name", async (one) => {
    openCase(one);
    await seen(one.title);
    await seen(one.todo);
    for (const name of [...one.buttons, "Copy details"])
      await expect.element(button(name).or(page.getByRole("link", { name }))).toBeVisible();
    await seen(/^Without a GPU you can still look into data, with its rows, tokens and problems/);
    expect(document.querySelector(".gpu-note [role=alert]")?.textContent).toContain(one.title);
    await expect.element(button("Training needs WebGPU").first()).toBeDisabled();
    for (const scheme of ["Light", "Dark"]) {
      await page.getByTitle(scheme).click();
      for (const width of [1200, 390]) {
        await page.viewport(width, 800);
        expect(await faults(), `${scheme}, ${width}`).toEqual([]);
        expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(width);
      }
    }
  });

  it("that went away later is told, and the way on is a button", async () => {
    const client = open();
    await expect.element(button("Train the sample").first()).toBeEnabled();
    client.loseDevice("driver reset");
    await seen("The GPU went away");
    await seen("The browser says: driver reset");
    await expect.element(button("Reload the page")).toBeEnabled();
    expect(await faults()).toEqual([]);
  });

  it("the browser of this test is read, and its own graphics named", async () => {
    open({}, { hasWebGpu: false });
    // Chromium on Linux, where it draws by software.
    await seen("On Linux the browser keeps WebGPU from this GPU");
    await seen(/here the graphics are .*SwiftShader/);
  });

  it("an own data file is taken, and the way to a GPU is folded there", async () => {
    openCase({ options: failing({ reason: "no-adapter" }), title: "", name: "", todo: "", buttons: [] });
    await shown("start");
    await upload(dropLabel, jsonl("notes.jsonl"));
    await shown("data");
    await seen("notes.jsonl, 13 B");
    await seen("JSON Lines, 120 rows, Chat messages (OpenAI)");
    expect(document.querySelector(".gpu-note details")?.hasAttribute("open")).toBe(false);
    await page.getByText("What to do").click();
    await seen(/^Bring the graphics driver up to date/);
    expect(await faults()).toEqual([]);
  });

  it("kept runs are listed and downloaded", async () => {
    const client = open({ ...failing({ reason: "no-adapter" }), runs: [sampleRun] });
    await go("library");
    await seen("amber-otter-12");
    const download = button("Download amber-otter-12 as a PEFT adapter (zip)");
    await expect.element(download).toBeEnabled();
    await download.click();
    await expect.poll(() => client.calls.map(({ call }) => call)).toContain("exportAdapter");
    expect(await faults()).toEqual([]);
  });
});
