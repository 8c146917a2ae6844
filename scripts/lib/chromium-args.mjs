// @ts-check
/** How headless Chromium is started: by the tests, the end-to-end tests and the commands alike. */

/** `--no-sandbox`: containers and root have no user namespaces, and only our own pages are opened. */
const quiet = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
  "--no-first-run",
];

/** WebGPU on SwiftShader, which every Chromium brings: slow, exact and the same on every machine. */
export const softwareArgs = [...quiet, "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

/** WebGPU on the machine's own GPU; a headless Chromium on Linux reaches it through Vulkan only when told so. */
export const gpuArgs = [
  ...quiet,
  "--enable-unsafe-webgpu",
  ...(process.platform === "linux" ? ["--enable-features=Vulkan", "--use-angle=vulkan", "--ignore-gpu-blocklist"] : []),
];
