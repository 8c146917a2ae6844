/** src's folders import downwards only (src/ARCHITECTURE.md), and no module imports itself by a detour. */
import { describe, expect, it } from "vitest";
import { importCycles, layerFaults, packageFaults } from "./layers";
import { importsOf, readSrc } from "./sources";

const plant = (path: string, text: string) => [{ path, text }];

describe("reading imports", () => {
  it("finds every way of naming a module", () => {
    const text = `import a from "./a";
      import type { B } from "./b";
      import { type C, type D } from "./c";
      import { type E, f } from "./d";
      export * from "./e";
      export type { G } from "./f";
      import "./g";
      const h = await import("./h");
      type I = import("./i").I;
      const j = import.meta.glob("./j/*.ts");
      const k = new URL("./k.ts", import.meta.url);
      // import "./no";
      const l = 'import "./no"';`;
    expect(importsOf({ path: "src/ui/x.ts", text }).map(({ specifier, typeOnly }) => [specifier, typeOnly])).toEqual([
      ["./a", false],
      ["./b", true],
      ["./c", true],
      ["./d", false],
      ["./e", false],
      ["./f", true],
      ["./g", false],
      ["./h", false],
      ["./i", true],
      ["./j/*.ts", false],
      ["./k.ts", false],
    ]);
  });
});

describe("layers", () => {
  it("hold in src", () => {
    const files = readSrc();
    expect(files.length).toBeGreaterThan(10);
    expect(layerFaults(files)).toEqual([]);
  });

  it.each([
    [
      "src/engine/x.ts",
      'import { rmsNorm } from "../ops/rms-norm";',
      "engine/ may import nothing of ops/rms-norm; the engine knows no op",
    ],
    [
      "src/ops/x.ts",
      'import { Llama } from "../model/architectures/llama";',
      "ops/ may import nothing of model/architectures/llama",
    ],
    [
      "src/data/formats/x.ts",
      'import { t } from "../../model/tokenizer";',
      "declare the interface that you need in data/",
    ],
    ["src/training/x.ts", 'import { pack } from "../data/packing";', "training/ may import only types of data/packing"],
    ["src/export/x.ts", 'import { lora } from "../model/lora";', "export/ may import only types of model/lora"],
    ["src/export/x.ts", 'import type { Row } from "../data/types";', "export/ may import nothing of data/types"],
    ["src/worker/x.ts", 'import { App } from "../ui/app";', "worker/ may import nothing of ui/app"],
    [
      "src/ui/x.tsx",
      'import type { Studio } from "../worker/studio";',
      "a new question is a new call in worker/protocol.ts",
    ],
    ["src/ui/x.tsx", 'const t = await import("../training/trainer");', "ui/ may import nothing of training/trainer"],
    ["src/extras/x.ts", "", "src/extras is in no layer"],
  ])("refuse %s with %s", (path, text, message) => {
    expect(layerFaults(plant(path, text)).join("\n")).toContain(message);
  });

  it.each([
    ["src/training/x.ts", 'import type { StepBatch } from "../data/types";'],
    ["src/ops/x.ts", 'import shader from "../../shaders/x.wgsl?raw";'],
    ["src/ui/screens/x.tsx", 'import { createClient } from "../../worker/client";'],
    ["src/data/formats/x.ts", 'import { DataError } from "../errors";'],
  ])("allow %s with %s", (path, text) => {
    expect(layerFaults(plant(path, text))).toEqual([]);
  });
});

describe("packages", () => {
  it("stay in the folders that they belong to", () => expect(packageFaults(readSrc())).toEqual([]));

  it.each([
    ["src/training/x.ts", 'import { create } from "zustand";', "interface packages belong into ui/"],
    ["src/data/x.ts", 'import * as ort from "onnxruntime-web/webgpu";', "data/ may not import onnxruntime-web/webgpu"],
    ["src/export/x.ts", 'import { readFileSync } from "node:fs";', "src runs in a browser"],
  ])("refuse %s with %s", (path, text, message) => {
    expect(packageFaults(plant(path, text)).join("\n")).toContain(message);
  });
});

describe("import cycles", () => {
  it("do not occur in src", () => expect(importCycles(readSrc())).toEqual([]));

  it("are found, through types and index files too", () => {
    const files = [
      { path: "src/a/index.ts", text: 'export * from "./one";' },
      { path: "src/a/one.ts", text: 'import type { Two } from "./two";' },
      { path: "src/a/two.ts", text: 'import { one } from "../a";' },
    ];
    expect(importCycles(files)).toEqual([expect.stringContaining("src/a/index → src/a/one → src/a/two → src/a/index")]);
  });
});
