import react from "@vitejs/plugin-react";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { softwareArgs } from "./scripts/lib/chromium-args.mjs";
import { isolation, pageHeaders } from "./scripts/lib/headers.mjs";
import { offline, workerFile } from "./scripts/lib/offline-plugin.mjs";

/** Servers that know no ".mjs" send it under a type that browsers refuse as a script. */
const assetFileNames = ({ names }: { readonly names: readonly string[] }) =>
  names.some((name) => name.endsWith(".mjs")) ? "assets/[name]-[hash].js" : "assets/[name]-[hash][extname]";

/** A service worker rules the folder that it lies in, and browsers look for a new one under the old name. */
const workerName = "service-worker";
const entryFileNames = ({ name }: { readonly name: string }) =>
  name === workerName ? workerFile : "assets/[name]-[hash].js";

export default defineConfig({
  base: "./",
  plugins: [react(), offline()],
  server: { headers: isolation, port: 5173, watch: { ignored: ["**/.cache/**", "**/screenshots/**"] } },
  preview: { headers: pageHeaders },
  worker: { format: "es", rollupOptions: { output: { assetFileNames } } },
  build: {
    target: "es2023",
    rollupOptions: {
      input: { studio: "index.html", headless: "headless.html", [workerName]: "src/offline/service-worker.ts" },
      output: { assetFileNames, entryFileNames },
    },
  },
  // Everything the browser tests import: a dependency first met in mid-run would be pre-bundled then and reload the page.
  optimizeDeps: {
    include: [
      "papaparse",
      "hyparquet",
      "hyparquet-compressors",
      "yaml",
      "@bufbuild/protobuf",
      "@bufbuild/protobuf/codegenv2",
      "@bufbuild/protobuf/wire",
      "@huggingface/hub",
      "@huggingface/jinja",
      "@huggingface/tokenizers",
      "@noble/hashes/legacy.js",
      "@noble/hashes/sha2.js",
      "@noble/hashes/utils.js",
      "@petamoriken/float16",
      "@xenova/transformers",
      "axe-core",
      "client-zip",
      "fast-check",
      "fflate",
      "idb-keyval",
      "onnxruntime-web/webgpu",
      "pure-rand/distribution/uniformFloat64",
      "pure-rand/distribution/uniformInt",
      "pure-rand/generator/xoroshiro128plus",
      "@mantine/core",
      "@mantine/dropzone",
      "@mantine/hooks",
      "@mantine/spotlight",
      "lucide-react",
      "react",
      "react-dom/client",
      "react/jsx-dev-runtime",
      "uplot",
      "zod/mini",
      "zustand",
    ],
  },
  test: {
    projects: [
      {
        extends: true,
        test: { name: "node", environment: "node", include: ["tests/**/*.node.test.ts"], testTimeout: 30_000 },
      },
      {
        extends: true,
        test: {
          name: "browser",
          include: ["tests/**/*.test.{ts,tsx}"],
          exclude: ["tests/**/*.node.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Headless Chromium now and then stops painting a page, and whatever waits for a frame hangs. A wrong number fails twice.
          retry: 1,
          fileParallelism: false,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                executablePath: process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium",
                args: softwareArgs,
              },
            }),
            instances: [{ browser: "chromium" }],
          },
        },
      },
    ],
  },
});
