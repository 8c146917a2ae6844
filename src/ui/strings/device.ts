/** The texts about the GPU: its name, and each reason why there is none with what it means and what to do. */
import { type BrowserFacts, gpuName } from "../browser-facts";
import { bytes, count } from "../format";
import type { GpuCause } from "../stores/gpu-cause";

export interface GpuAdvice {
  readonly title: string;
  readonly means: string;
  /** In the order in which they are done; one where one is enough. */
  readonly steps: readonly string[];
  /** A page of the browser's own that a step names: pages cannot link there, so it is copied. */
  readonly address: string | null;
  /** Whether opening the page anew is what to do, or the last of it. */
  readonly reload: boolean;
  /** What the browser said itself. */
  readonly said: string | null;
}

const elsewhere = "Open this page in a current Chrome or Edge on a computer with Windows, macOS or ChromeOS.";
const restart = "Close all windows of the browser, open it again and come back to this page.";
const driver =
  "Bring the graphics driver up to date, by the system's updates or from the maker of the GPU, and restart.";

const scheme = ({ name }: BrowserFacts): string => (name === "Edge" ? "edge" : "chrome");
const nameOf = ({ name }: Pick<BrowserFacts, "name">): string => name ?? "the browser";

/** Where the browser says what it does with the GPU. */
const gpuPage = (browser: BrowserFacts): string | null => {
  if (browser.engine === "chromium") return `${scheme(browser)}://gpu`;
  return browser.engine === "firefox" ? "about:support" : null;
};
const lookThere = (browser: BrowserFacts): string[] => {
  const page = gpuPage(browser);
  return page === null ? [] : [`If that does not help: ${page}, in the address bar, says why under “WebGPU”.`];
};

function acceleration(browser: BrowserFacts): Pick<GpuAdvice, "steps" | "address"> {
  const { engine } = browser;
  if (engine === "chromium") {
    const address = `${scheme(browser)}://settings/system`;
    const steps = [
      `Open ${address} by the address bar.`,
      "Switch on “Use graphics acceleration when available”.",
      restart,
    ];
    return { steps, address };
  }
  if (engine === "firefox") {
    const address = "about:preferences#general";
    const steps = [
      `Open ${address} by the address bar and go to “Performance”.`,
      "Untick “Use recommended performance settings”, then tick “Use hardware acceleration when available”.",
      restart,
    ];
    return { steps, address };
  }
  return { steps: [elsewhere], address: null };
}

const plain = { address: null, reload: false, said: null } as const;

const sizes = /BindingSize|BufferSize|StorageSize/;
const amount = (limit: string, value: number): string => (sizes.test(limit) ? bytes(value) : count(value));

const advice: {
  readonly [K in GpuCause["kind"]]: (cause: Extract<GpuCause, { kind: K }>) => GpuAdvice;
} = {
  lost: ({ reason }) => ({
    title: "The GPU went away",
    means:
      "The browser lost the graphics device: the driver started anew, the machine slept, or the GPU ran out of memory. Kept runs are safe.",
    steps: ["Reload the page to go on. If it happens again, take a smaller model or a shorter max length."],
    address: null,
    reload: true,
    said: reason,
  }),
  insecure: () => ({
    ...plain,
    title: "WebGPU is switched off on this address",
    means: "Browsers offer WebGPU on https:// and on localhost only, and this page came otherwise.",
    steps: ["Open this page by https, or as localhost if it is served by this machine."],
  }),
  outdated: ({ name, version, needed }) => ({
    ...plain,
    title: `This version of ${nameOf({ name })} has no WebGPU`,
    means:
      name === null
        ? "Training needs WebGPU, which later versions of this browser have."
        : `Training needs WebGPU, which ${name} has from version ${needed} on; this is version ${version}.`,
    steps: [`Update ${nameOf({ name })}, restart it, and come back.`],
  }),
  "ios-outdated": () => ({
    ...plain,
    title: "This version of iOS has no WebGPU",
    means: "Training needs WebGPU; every browser of an iPhone or iPad has it from iOS or iPadOS 26 on.",
    steps: ["Update the system: Settings, General, Software Update. Or open this page on a computer."],
  }),
  "unsupported-browser": ({ phone }) => ({
    ...plain,
    title: "This browser has no WebGPU",
    means: "Training needs WebGPU, which this browser does not offer on this system.",
    steps: [phone ? "Open this page in Chrome on Android 12 or later, or on a computer in Chrome or Edge." : elsewhere],
  }),
  "unsupported-phone": () => ({
    ...plain,
    title: "This phone's GPU is not open to WebGPU",
    means: "Chrome offers WebGPU on Android 12 and later, and with the graphics chips that it trusts.",
    steps: [elsewhere],
  }),
  "linux-flags": ({ renderer }) => ({
    title: "On Linux the browser keeps WebGPU from this GPU",
    means: `Chrome offers it with newer Intel and NVIDIA graphics and keeps it behind a flag with all others${renderer === "" ? "" : `; here the graphics are ${gpuName(renderer)}`}.`,
    steps: [
      "Bring Chrome and the graphics driver up to date.",
      "Open chrome://flags by the address bar, and choose “Enabled” for “Unsafe WebGPU Support” and for “Vulkan”.",
      restart,
      "If that does not help: chrome://gpu, in the address bar, says why under “WebGPU”.",
    ],
    address: "chrome://flags",
    reload: false,
    said: null,
  }),
  "switched-off": ({ engine, phone }) => ({
    ...plain,
    title: "WebGPU is switched off in this browser",
    means: "This version has WebGPU; a setting, a policy of an organisation or a privacy extension takes it away.",
    steps:
      engine === "firefox"
        ? ["Open about:config by the address bar, search for dom.webgpu.enabled and set it to true.", restart]
        : [
            phone
              ? "Switch off Lockdown Mode for this site, or open this page on a computer."
              : "Open this page in a browser profile without extensions, or in another browser.",
          ],
    address: engine === "firefox" ? "about:config" : null,
  }),
  "no-worker": () => ({
    ...plain,
    title: "This browser has WebGPU, but not where the work is done",
    means: "Tabtune trains in a worker, so that the page stays usable; this browser offers WebGPU to pages only.",
    steps: ["Update the browser, or open this page in a current Chrome or Edge."],
  }),
  "acceleration-off": ({ browser }) => ({
    title: "The browser draws without a GPU",
    means: `${browser.renderer === null ? "It offers no graphics at all" : `It draws with the processor (${gpuName(browser.renderer)})`}: graphics acceleration is switched off, the driver is missing, or this machine has no GPU, as over a remote desktop.`,
    ...acceleration(browser),
    reload: false,
    said: null,
  }),
  "virtual-machine": ({ renderer }) => ({
    ...plain,
    title: "A virtual machine hides the GPU",
    means: `What the browser gets is ${gpuName(renderer)}, which WebGPU cannot use.`,
    steps: ["Open this page in a browser outside the virtual machine or the remote desktop."],
  }),
  blocklisted: ({ browser }) => ({
    title: "The browser keeps WebGPU from this GPU",
    means: `The page is drawn by ${gpuName(browser.renderer ?? "")}, and WebGPU does not get it: the driver is too old or known to be faulty, or the GPU is older than what WebGPU needs.`,
    steps: [driver, `Update ${nameOf(browser)}.`, ...lookThere(browser)],
    address: gpuPage(browser),
    reload: false,
    said: null,
  }),
  "no-adapter": ({ browser }) => ({
    title: "The browser offers no GPU",
    means: "WebGPU is here and finds no graphics device that it may use; what there is, the browser does not tell.",
    steps: [
      "Switch on graphics acceleration in the browser's settings, and restart the browser.",
      driver,
      ...lookThere(browser),
    ],
    address: gpuPage(browser),
    reload: false,
    said: null,
  }),
  refused: ({ message }) => ({
    title: "WebGPU is here, but no graphics device opened",
    means: "The GPU is there and refuses: often it is full, or its driver has just been restarted.",
    steps: ["Close other tabs and programs that use the GPU.", restart],
    address: null,
    reload: true,
    said: message,
  }),
  limit: ({ limit, needed, offered }) => ({
    ...plain,
    title: "This GPU is too small for the computation",
    means: `It offers ${amount(limit, offered)} of ${limit}, and the computation needs ${amount(limit, needed)}.`,
    steps: ["Bring browser and graphics driver up to date; if that does not help, open this page on another machine."],
  }),
};

function adviceFor<K extends GpuCause["kind"]>(kind: K, cause: Extract<GpuCause, { kind: K }>): GpuAdvice {
  return advice[kind](cause);
}

export const deviceStrings = {
  probing: "Looking for a GPU…",
  gpu: (name: string) => `GPU: ${name}`,
  none: "No GPU",
  slowTitle: "No graphics processor in reach: training will be slow",
  slow: (name: string) =>
    `The browser offers only a software adapter (${name}), so the processor does the work; the numbers are the same. If this machine has a GPU, switch on graphics acceleration in the browser's settings and restart it.`,
  reload: "Reload the page",
  https: "Try https",
  what: "What to do",
  said: (message: string) => `The browser says: ${message}`,
  copyAddress: (address: string) => `Copy ${address}`,
  stillWorks:
    "Without a GPU you can still look into data, with its rows, tokens and problems as the model would read them, and see, compare, rename and download the runs kept in this browser.",
  advice: (cause: GpuCause): GpuAdvice => adviceFor(cause.kind, cause),
} as const;
