/** From the browser's own words to the one cause, and for each cause a title, a meaning and something to do. */
import { describe, expect, it } from "vitest";
import { type BrowserFacts, browserOf, gpuName } from "../../src/ui/browser-facts";
import { type GpuCause, type GpuFacts, gpuCause } from "../../src/ui/stores/gpu-cause";
import { strings } from "../../src/ui/strings";
import type { ErrorData } from "../../src/worker/protocol";

const webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
const agents = {
  chromeWindows: `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/150.0.0.0 Safari/537.36`,
  chromeWindowsOld: `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/109.0.0.0 Safari/537.36`,
  edgeWindows: `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0`,
  operaMacOld: `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${webkit} Chrome/110.0.0.0 Safari/537.36 OPR/96.0.0.0`,
  chromeBook: `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${webkit} Chrome/150.0.0.0 Safari/537.36`,
  chromeLinux: `Mozilla/5.0 (X11; Linux x86_64) ${webkit} Chrome/150.0.0.0 Safari/537.36`,
  chromeLinuxOld: `Mozilla/5.0 (X11; Linux x86_64) ${webkit} Chrome/130.0.0.0 Safari/537.36`,
  chromeAndroid: `Mozilla/5.0 (Linux; Android 10; K) ${webkit} Chrome/150.0.0.0 Mobile Safari/537.36`,
  chromeAndroidOld: `Mozilla/5.0 (Linux; Android 10; K) ${webkit} Chrome/119.0.0.0 Mobile Safari/537.36`,
  firefoxWindows: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0",
  firefoxWindowsOld: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
  firefoxMac: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:150.0) Gecko/20100101 Firefox/150.0",
  firefoxLinux: "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0",
  firefoxAndroid: "Mozilla/5.0 (Android 15; Mobile; rv:150.0) Gecko/150.0 Firefox/150.0",
  safariMac:
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15",
  safariMacOld:
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
  safariPhone:
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
  safariPhoneOld:
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
  chromePhone:
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/150.0.0.0 Mobile/15E148 Safari/604.1",
  unknown: "Something/1.0",
} as const;
type Agent = keyof typeof agents;

const nvidia = "ANGLE (NVIDIA, NVIDIA GeForce RTX 3060 (0x00002504) Direct3D11 vs_5_0 ps_5_0, D3D11)";
const browser = (agent: Agent, renderer: string | null = nvidia): BrowserFacts => ({
  ...browserOf({ userAgent: agents[agent], touchPoints: 0 }),
  renderer,
});
const gpuError = (data: ErrorData["data"], message = "It does not open."): ErrorData => ({
  code: "gpu",
  message,
  data,
});
const cause = (agent: Agent, facts: Partial<GpuFacts> = {}): GpuCause | null =>
  gpuCause({
    secureContext: true,
    hasWebGpu: true,
    error: null,
    lost: null,
    browser: browser(agent),
    ...facts,
  });

describe("the browser", () => {
  it.each<[Agent, Omit<BrowserFacts, "renderer">]>([
    ["chromeWindows", { engine: "chromium", name: "Chrome", version: 150, platform: "windows" }],
    ["edgeWindows", { engine: "chromium", name: "Edge", version: 150, platform: "windows" }],
    ["operaMacOld", { engine: "chromium", name: null, version: 110, platform: "mac" }],
    ["chromeBook", { engine: "chromium", name: "Chrome", version: 150, platform: "chromeos" }],
    ["chromeAndroid", { engine: "chromium", name: "Chrome", version: 150, platform: "android" }],
    ["firefoxAndroid", { engine: "firefox", name: "Firefox", version: 150, platform: "android" }],
    ["safariMac", { engine: "safari", name: "Safari", version: 26, platform: "mac" }],
    ["safariPhone", { engine: "safari", name: "Safari", version: 26, platform: "ios" }],
    ["chromePhone", { engine: "safari", name: null, version: null, platform: "ios" }],
    ["unknown", { engine: "other", name: null, version: null, platform: "other" }],
  ])("is known by its own words: %s", (agent, expected) => {
    expect(browserOf({ userAgent: agents[agent], touchPoints: 0 })).toEqual(expected);
  });

  it("of an iPad is told from a Mac's by its touch screen", () => {
    expect(browserOf({ userAgent: agents.safariMac, touchPoints: 5 }).platform).toBe("ios");
  });
});

describe("the name of the graphics", () => {
  it.each([
    [nvidia, "NVIDIA GeForce RTX 3060"],
    ["ANGLE (Intel, Intel(R) HD Graphics 400 Direct3D11 vs_5_0 ps_5_0), or similar", "Intel(R) HD Graphics 400"],
    ["ANGLE (Apple, ANGLE Metal Renderer: Apple M2, Unspecified Version)", "Apple M2"],
    ["ANGLE (Mesa, llvmpipe (LLVM 15.0.7, 256 bits), OpenGL 4.5)", "llvmpipe (LLVM 15.0.7, 256 bits)"],
    ["ANGLE (AMD, AMD Radeon RX 580 (polaris10), OpenGL 4.6)", "AMD Radeon RX 580 (polaris10)"],
    ["Mali-G52", "Mali-G52"],
    ["Apple GPU", "Apple GPU"],
  ])("%s", (renderer, name) => {
    expect(gpuName(renderer)).toBe(name);
  });
});

describe("without the API", () => {
  it.each<[Agent, Partial<GpuCause>]>([
    ["chromeWindowsOld", { kind: "outdated", name: "Chrome", version: 109, needed: 113 }],
    ["chromeAndroidOld", { kind: "outdated", name: "Chrome", version: 119, needed: 121 }],
    ["chromeLinuxOld", { kind: "outdated", name: "Chrome", version: 130, needed: 144 }],
    ["operaMacOld", { kind: "outdated", name: null, version: 110, needed: 113 }],
    ["firefoxWindowsOld", { kind: "outdated", name: "Firefox", version: 128, needed: 141 }],
    ["safariMacOld", { kind: "outdated", name: "Safari", version: 18, needed: 26 }],
    ["safariPhoneOld", { kind: "ios-outdated" }],
    ["chromePhone", { kind: "ios-outdated" }],
    ["safariPhone", { kind: "switched-off", engine: "safari", phone: true }],
    ["chromeWindows", { kind: "switched-off", engine: "chromium", phone: false }],
    ["firefoxWindows", { kind: "switched-off", engine: "firefox", phone: false }],
    ["chromeAndroid", { kind: "unsupported-phone" }],
    ["firefoxAndroid", { kind: "unsupported-browser", phone: true }],
    ["firefoxLinux", { kind: "unsupported-browser", phone: false }],
    ["firefoxMac", { kind: "unsupported-browser", phone: false }],
    ["safariMac", { kind: "unsupported-browser", phone: false }],
    ["unknown", { kind: "unsupported-browser", phone: false }],
    ["chromeLinux", { kind: "linux-flags", renderer: nvidia }],
  ])("%s", (agent, expected) => {
    expect(cause(agent, { hasWebGpu: false })).toEqual(expected);
  });
});

describe("without an adapter", () => {
  const swiftshader = "ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero) (0x0000C0DE)), SwiftShader driver)";
  it.each<[Agent, string | null, GpuCause["kind"]]>([
    ["chromeWindows", nvidia, "blocklisted"],
    ["edgeWindows", "ANGLE (Intel, Intel(R) HD Graphics 4000 Direct3D11 vs_5_0 ps_5_0, D3D11)", "blocklisted"],
    ["firefoxWindows", "ANGLE (Intel, Intel(R) HD Graphics 400 Direct3D11 vs_5_0 ps_5_0), or similar", "blocklisted"],
    ["safariMac", "Apple GPU", "blocklisted"],
    ["chromeWindows", swiftshader, "acceleration-off"],
    ["chromeWindows", "ANGLE (Microsoft, Microsoft Basic Render Driver Direct3D11 vs_5_0 ps_5_0)", "acceleration-off"],
    ["chromeLinux", "ANGLE (Mesa, llvmpipe (LLVM 15.0.7, 256 bits), OpenGL 4.5)", "acceleration-off"],
    ["chromeWindows", null, "acceleration-off"],
    ["chromeWindows", "ANGLE (VMware, VMware SVGA 3D Direct3D11 vs_5_0 ps_5_0)", "virtual-machine"],
    ["chromeLinux", "ANGLE (Mesa, virgl (AMD Radeon), OpenGL 4.3)", "virtual-machine"],
    ["chromeLinux", "ANGLE (AMD, AMD Radeon RX 580 (polaris10), OpenGL 4.6)", "linux-flags"],
    ["chromeLinux", "", "linux-flags"],
    ["chromeAndroid", "Mali-G52", "unsupported-phone"],
    ["firefoxWindows", "", "no-adapter"],
    ["chromeBook", "", "no-adapter"],
  ])("%s drawing with %j", (agent, renderer, kind) => {
    const error = gpuError({ reason: "no-adapter" });
    expect(cause(agent, { error, browser: browser(agent, renderer) })?.kind).toBe(kind);
  });
});

describe("other causes", () => {
  it.each<[string, Partial<GpuFacts>, GpuCause | null]>([
    ["nothing in the way", {}, null],
    ["a loss, before all else", { lost: "reset", secureContext: false }, { kind: "lost", reason: "reset" }],
    ["a plain address, which hides the API too", { secureContext: false, hasWebGpu: false }, { kind: "insecure" }],
    ["an API for pages only", { error: gpuError({ reason: "no-api" }) }, { kind: "no-worker" }],
    ["a refusal", { error: gpuError({ reason: "refused" }) }, { kind: "refused", message: "It does not open." }],
    ["a reason of a later version", { error: gpuError({}) }, { kind: "refused", message: "It does not open." }],
    ["a loss while opening", { error: gpuError({ reason: "lost" }) }, { kind: "lost", reason: "It does not open." }],
    [
      "a limit",
      { error: gpuError({ reason: "limit", limit: "maxBufferSize", needed: 2, offered: 1 }) },
      { kind: "limit", limit: "maxBufferSize", needed: 2, offered: 1 },
    ],
    ["an error that is not the GPU's", { error: { code: "internal", message: "Fault.", data: {} } }, null],
  ])("%s", (_name, facts, expected) => {
    expect(cause("chromeWindows", facts)).toEqual(expected);
  });
});

describe("the advice", () => {
  const all: GpuCause[] = [
    { kind: "lost", reason: "driver reset" },
    { kind: "insecure" },
    { kind: "outdated", name: "Chrome", version: 109, needed: 113 },
    { kind: "outdated", name: null, version: 109, needed: 113 },
    { kind: "ios-outdated" },
    { kind: "unsupported-browser", phone: true },
    { kind: "unsupported-browser", phone: false },
    { kind: "unsupported-phone" },
    { kind: "linux-flags", renderer: "" },
    { kind: "switched-off", engine: "firefox", phone: false },
    { kind: "switched-off", engine: "safari", phone: true },
    { kind: "no-worker" },
    { kind: "acceleration-off", browser: browser("chromeWindows", null) },
    { kind: "acceleration-off", browser: browser("edgeWindows", "SwiftShader") },
    { kind: "acceleration-off", browser: browser("firefoxWindows", "SwiftShader") },
    { kind: "acceleration-off", browser: browser("safariMac", null) },
    { kind: "virtual-machine", renderer: "VMware SVGA 3D" },
    { kind: "blocklisted", browser: browser("chromeWindows") },
    { kind: "no-adapter", browser: browser("safariMac", "") },
    { kind: "refused", message: "driver too old" },
    { kind: "limit", limit: "maxBufferSize", needed: 16 * 2 ** 20, offered: 2 ** 20 },
  ];

  it("is whole for every cause, and an address to copy is one that a step names", () => {
    for (const one of all) {
      const { title, means, steps, address } = strings.device.advice(one);
      expect(title, one.kind).toMatch(/^[A-Z].*[^.]$/);
      for (const sentence of [means, ...steps]) expect(sentence, one.kind).toMatch(/^[A-Z].*\.$/);
      expect(steps.length, one.kind).toBeGreaterThan(0);
      expect(new Set(steps).size).toBe(steps.length);
      if (address !== null) expect(steps.join(" "), one.kind).toContain(address);
    }
  });

  it("names what is there", () => {
    const [lost, , outdated] = all.map((one) => strings.device.advice(one));
    expect(lost?.said).toBe("driver reset");
    expect(outdated?.means).toContain("from version 113 on; this is version 109");
    const limit = strings.device.advice({ kind: "limit", limit: "maxBufferSize", needed: 16e6, offered: 1e6 });
    expect(limit.means).toBe("It offers 1.0 MB of maxBufferSize, and the computation needs 16.0 MB.");
    expect(strings.device.advice({ kind: "blocklisted", browser: browser("edgeWindows") }).address).toBe("edge://gpu");
  });
});
