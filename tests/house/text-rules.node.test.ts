/** Invariants that a reader of the text can hold: who touches the GPU, what errors are, what goes out. */
import { describe, expect, it } from "vitest";
import { readSources, readSrc, type SourceFile } from "./sources";
import {
  addressFaults,
  architecturesAreForwardOnly,
  dataAndExportRunInNode,
  onlyEngineTouchesTheDevice,
  shadersAreFiles,
  sizeFaults,
  textFaults,
  throwFaults,
} from "./text-rules";

const plant = (path: string, text: string): SourceFile[] => [{ path, text }];
const src = readSrc();

describe("words that may not stand in some places", () => {
  it.each([
    [
      "WGSL in TypeScript",
      shadersAreFiles,
      "src/ops/x.ts",
      "const s = `\n@compute @workgroup_size(1) fn f() {}`;",
      ":2:",
    ],
    [
      "GPU objects made outside the engine",
      onlyEngineTouchesTheDevice,
      "src/model/x.ts",
      "device.createBuffer({});",
      "only src/engine/",
    ],
    ["LoRA in an architecture", architecturesAreForwardOnly, "src/model/architectures/x.ts", "attachLora(y);", "Lora"],
    [
      "a gradient in an architecture",
      architecturesAreForwardOnly,
      "src/model/architectures/x.ts",
      "y.gradient",
      "gradient",
    ],
    ["the DOM in data/", dataAndExportRunInNode, "src/data/x.ts", "document.title", "document"],
    ["the GPU in export/", dataAndExportRunInNode, "src/export/x.ts", "let b: GPUBuffer;", "GPUBuffer"],
  ])("%s: none in src, and a planted one is found", (_, rule, path, text, message) => {
    expect(src.some((file) => rule.applies(file.path))).toBe(true);
    expect(textFaults(src, rule)).toEqual([]);
    expect(textFaults(plant(path, text), rule).join("\n")).toContain(message);
  });

  it("comments may name them, and other folders may use them", () => {
    const comment = "/** No gradient here. */\nexport const a = 1; // backward is the op's\n";
    expect(textFaults(plant("src/model/architectures/x.ts", comment), architecturesAreForwardOnly)).toEqual([]);
    expect(textFaults(plant("src/engine/x.ts", "device.createBuffer({});"), onlyEngineTouchesTheDevice)).toEqual([]);
  });

  it("a comment sign within a string hides nothing", () => {
    const text = 'const a = "/*"; device.createBuffer({}); const b = "*/";';
    expect(textFaults(plant("src/model/x.ts", text), onlyEngineTouchesTheDevice)).toHaveLength(1);
  });
});

describe("addresses", () => {
  it("of the network: only the model hub's", () => expect(addressFaults(src)).toEqual([]));

  it("are found in strings, templates and JSX", () => {
    const text =
      // biome-ignore lint/suspicious/noTemplateCurlyInString: TypeScript source in a string.
      'const a = "https://example.org/x"; const b = `wss://example.org/${path}`; const c = <p>see http://example.com now</p>;';
    expect(addressFaults(plant("src/ui/x.tsx", text))).toHaveLength(3);
    expect(addressFaults(plant("src/worker/x.ts", "// see https://example.org"))).toEqual([]);
    expect(addressFaults(plant("src/worker/x.ts", 'fetch("https://huggingface.co.evil.example/x")'))).toHaveLength(1);
  });
});

describe("errors", () => {
  it("thrown in src are the project's own classes", () => expect(throwFaults(src)).toEqual([]));

  it.each([
    ['throw new Error("no");', "Error says too little"],
    ['throw new RangeError("no");', "RangeError says too little"],
    ['Promise.reject(new TypeError("no"));', "TypeError says too little"],
    ['throw new Unheard("no");', "Unheard is no error class of src"],
    ['throw "no";', "must be an error"],
    ["throw { code: 1 };", "must be an error"],
  ])("%s is refused", (text, message) => {
    expect(throwFaults(plant("src/data/x.ts", text)).join("\n")).toContain(message);
  });

  it("of a declared class and rethrown ones pass", () => {
    const text = 'class DataError extends Error {} try { throw new DataError("x"); } catch (error) { throw error; }';
    expect(throwFaults(plant("src/data/x.ts", text))).toEqual([]);
  });
});

describe("file sizes", () => {
  it("stay readable", () => {
    const folders = ["src", "shaders", "scripts", "bench", "tests"];
    expect(sizeFaults(readSources(folders, [".ts", ".tsx", ".mjs", ".wgsl", ".py"]))).toEqual([]);
  });

  it("401 lines are one too many", () => {
    expect(sizeFaults(plant("src/x.ts", "a\n".repeat(400)))).toEqual([]);
    expect(sizeFaults(plant("src/x.ts", "a\n".repeat(401))).join()).toContain("401 lines");
  });
});
