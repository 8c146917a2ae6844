/** What the browser tells of itself and of the graphics under it; read only where there is no GPU to be had. */

export interface BrowserFacts {
  /** What it is built on. Every browser of an iPhone is built on Safari's engine. */
  readonly engine: "chromium" | "firefox" | "safari" | "other";
  /** By the name that a person knows; null where that is not sure. */
  readonly name: "Chrome" | "Edge" | "Firefox" | "Safari" | null;
  /** Of the engine; null where it is not told. */
  readonly version: number | null;
  readonly platform: "windows" | "mac" | "linux" | "chromeos" | "android" | "ios" | "other";
  /** What WebGL draws with; "" where that is withheld, null where there is no WebGL. */
  readonly renderer: string | null;
}

interface Told {
  readonly userAgent: string;
  /** Fingers that it tells apart: an iPad calls itself a Mac, and no Mac has a touch screen. */
  readonly touchPoints: number;
}

export function browserOf({ userAgent, touchPoints }: Told): Omit<BrowserFacts, "renderer"> {
  const number = (pattern: RegExp): number | null => {
    const found = pattern.exec(userAgent)?.[1];
    return found === undefined ? null : Number(found);
  };
  const platform = platformOf(userAgent, touchPoints);
  if (platform === "ios") {
    const own = !/CriOS|EdgiOS|FxiOS/.test(userAgent);
    return { engine: "safari", name: own ? "Safari" : null, version: number(/Version\/(\d+)/), platform };
  }
  const firefox = number(/Firefox\/(\d+)/);
  if (firefox !== null) return { engine: "firefox", name: "Firefox", version: firefox, platform };
  const chromium = number(/(?:Chrome|Chromium)\/(\d+)/);
  if (chromium !== null) {
    const others = /OPR\/|SamsungBrowser|YaBrowser|Vivaldi|DuckDuckGo|Electron/.test(userAgent);
    const name = /Edg(?:A)?\//.test(userAgent) ? "Edge" : others ? null : "Chrome";
    return { engine: "chromium", name, version: chromium, platform };
  }
  const safari = number(/Version\/(\d+)[\d.]* Safari/);
  if (safari !== null) return { engine: "safari", name: "Safari", version: safari, platform };
  return { engine: "other", name: null, version: null, platform };
}

function platformOf(userAgent: string, touchPoints: number): BrowserFacts["platform"] {
  if (/iPhone|iPad|iPod/.test(userAgent)) return "ios";
  if (/Android/.test(userAgent)) return "android";
  if (/Macintosh/.test(userAgent)) return touchPoints > 1 ? "ios" : "mac";
  if (/Windows/.test(userAgent)) return "windows";
  if (/CrOS/.test(userAgent)) return "chromeos";
  return /Linux|X11/.test(userAgent) ? "linux" : "other";
}

export function readBrowser(): BrowserFacts {
  const { userAgent, maxTouchPoints } = navigator;
  return { ...browserOf({ userAgent, touchPoints: maxTouchPoints }), renderer: readRenderer() };
}

function readRenderer(): string | null {
  const canvas = document.createElement("canvas");
  const gl = canvas.getContext("webgl2") ?? canvas.getContext("webgl");
  if (gl === null) return null;
  const unmasked = gl.getExtension("WEBGL_debug_renderer_info")?.UNMASKED_RENDERER_WEBGL;
  const renderer: unknown = gl.getParameter(unmasked ?? gl.RENDERER);
  // A page may have few of these at a time, and charts may want one.
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  // What browsers say in place of the name.
  return typeof renderer === "string" && !/^(WebKit WebGL|Mozilla|Generic Renderer)?$/.test(renderer) ? renderer : "";
}

/** The renderer's part that a person knows the GPU by: what wraps it is of the layers in between. */
export function gpuName(renderer: string): string {
  const plain = renderer.replace(/, or similar$/, "");
  const name = (/^ANGLE \([^,]*, (.*)\)$/.exec(plain)?.[1] ?? plain)
    .replace(/,? (?:Direct3D\d|D3D\d|OpenGL|vs_\d|Unspecified Version|SwiftShader driver).*$/, "")
    .replace(/^ANGLE Metal Renderer: /, "")
    .replace(/ ?\(0x[0-9a-f]+\)/gi, "")
    .trim();
  return name === "" ? renderer : name;
}
