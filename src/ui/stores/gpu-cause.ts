/** From what is known of browser, platform and graphics to the one reason why there is no GPU. */
import type { ErrorData } from "../../worker/protocol";
import type { BrowserFacts } from "../browser-facts";

export interface GpuFacts {
  readonly secureContext: boolean;
  /** On the page; a worker may lack it all the same. */
  readonly hasWebGpu: boolean;
  /** What opening the device failed with; null where it did not. */
  readonly error: ErrorData | null;
  /** Why the device went away; null while it is there. */
  readonly lost: string | null;
  readonly browser: BrowserFacts;
}

export type GpuCause =
  | { readonly kind: "lost"; readonly reason: string }
  /** Browsers hide WebGPU from pages that come over plain http. */
  | { readonly kind: "insecure" }
  /** A later version of this browser has WebGPU. */
  | {
      readonly kind: "outdated";
      readonly name: BrowserFacts["name"];
      readonly version: number;
      readonly needed: number;
    }
  | { readonly kind: "ios-outdated" }
  /** No version of this browser has it on this platform. */
  | { readonly kind: "unsupported-browser"; readonly phone: boolean }
  | { readonly kind: "unsupported-phone" }
  /** Chrome on Linux has it for some GPUs only, and for the others behind flags. */
  | { readonly kind: "linux-flags"; readonly renderer: string }
  /** This browser has it, and somebody switched it off. */
  | { readonly kind: "switched-off"; readonly engine: BrowserFacts["engine"]; readonly phone: boolean }
  /** WebGPU on the page and none in the worker, where the work is done. */
  | { readonly kind: "no-worker" }
  /** Graphics acceleration is off, or there is no graphics processor. `renderer` is null without WebGL. */
  | { readonly kind: "acceleration-off"; readonly browser: BrowserFacts }
  | { readonly kind: "virtual-machine"; readonly renderer: string }
  /** WebGL draws with a graphics processor that WebGPU does not get. */
  | { readonly kind: "blocklisted"; readonly browser: BrowserFacts }
  /** No adapter, and the browser does not tell what is there. */
  | { readonly kind: "no-adapter"; readonly browser: BrowserFacts }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "limit"; readonly limit: string; readonly needed: number; readonly offered: number };

/** Null where nothing is known to be in the way, and where the error is no matter of the GPU. */
export function gpuCause({ secureContext, hasWebGpu, error, lost, browser }: GpuFacts): GpuCause | null {
  if (lost !== null) return { kind: "lost", reason: lost };
  if (!secureContext) return { kind: "insecure" };
  if (!hasWebGpu) return withoutApi(browser);
  if (error === null || error.code !== "gpu") return null;
  const { reason, limit, needed, offered } = error.data;
  switch (reason) {
    case "no-api":
      return { kind: "no-worker" };
    case "no-adapter":
      return withoutAdapter(browser);
    case "lost":
      return { kind: "lost", reason: error.message };
    case "limit":
      if (typeof limit === "string" && typeof needed === "number" && typeof offered === "number") {
        return { kind: "limit", limit, needed, offered };
      }
  }
  return { kind: "refused", message: error.message };
}

const isPhone = ({ platform }: BrowserFacts): boolean => platform === "android" || platform === "ios";

/** The first version that has WebGPU switched on; none for platforms that are not named. */
const firstVersions: Readonly<
  Record<"chromium" | "firefox" | "safari", Readonly<Partial<Record<BrowserFacts["platform"], number>>>>
> = {
  chromium: { windows: 113, mac: 113, chromeos: 113, android: 121, linux: 144 },
  firefox: { windows: 141, mac: 145 },
  safari: { mac: 26, ios: 26 },
};

function withoutApi(browser: BrowserFacts): GpuCause {
  const { engine, name, version, platform } = browser;
  const phone = isPhone(browser);
  const needed = engine === "other" ? undefined : firstVersions[engine][platform];
  if (needed === undefined) return { kind: "unsupported-browser", phone };
  // There the engine comes with the system, and other browsers do not tell its version.
  if (platform === "ios" && (version === null || version < needed)) return { kind: "ios-outdated" };
  if (version !== null && version < needed) return { kind: "outdated", name, version, needed };
  if (engine === "chromium" && platform === "linux") return { kind: "linux-flags", renderer: browser.renderer ?? "" };
  if (platform === "android") return { kind: "unsupported-phone" };
  // Firefox has it on Macs with Apple's own processors only, and Safari from macOS 26 on; neither says which Mac it is.
  if (platform === "mac" && engine !== "chromium") return { kind: "unsupported-browser", phone };
  return { kind: "switched-off", engine, phone };
}

const software = /swiftshader|llvmpipe|softpipe|swrast|lavapipe|basic render|software|gdi generic/i;
const virtual = /vmware|svga3d|virtualbox|vboxvga|parallels|virgl|\bqxl\b|hyper-v|remote/i;

function withoutAdapter(browser: BrowserFacts): GpuCause {
  const { engine, platform, renderer } = browser;
  if (platform === "android") return { kind: "unsupported-phone" };
  if (renderer === null || software.test(renderer)) return { kind: "acceleration-off", browser };
  if (virtual.test(renderer)) return { kind: "virtual-machine", renderer };
  if (engine === "chromium" && platform === "linux") return { kind: "linux-flags", renderer };
  return renderer === "" ? { kind: "no-adapter", browser } : { kind: "blocklisted", browser };
}
