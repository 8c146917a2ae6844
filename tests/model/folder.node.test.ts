/** Model folders from files and from HTTP. */
import { describe, expect, it } from "vitest";
import { filesFolder, httpFolder, readText } from "../../src/model/folder";

const blob = (text: string) => new Blob([text]);
const minimal = [
  { path: "config.json", blob: blob("{}") },
  { path: "tokenizer.json", blob: blob("{}") },
];

describe("filesFolder", () => {
  it.each(["", "SmolLM/", "./SmolLM/", "/SmolLM/", "a\\"])('takes off the prefix "%s"', async (prefix) => {
    const files = ["config.json", "tokenizer.json", "onnx/model_q4.onnx"].map((path) => ({
      path: prefix + path,
      blob: blob(path),
    }));
    const folder = filesFolder("m", files);
    expect(folder.paths).toEqual(["config.json", "tokenizer.json", "onnx/model_q4.onnx"]);
    expect(await readText(folder, "onnx/model_q4.onnx", 100)).toBe("onnx/model_q4.onnx");
  });

  it.each([
    [[], "m is not a model folder: config.json and tokenizer.json are missing (it is empty)."],
    [
      ["a.txt", "b/config.json"],
      "m is not a model folder: config.json and tokenizer.json are missing (it holds a.txt, b/config.json).",
    ],
    [["x/config.json"], "m is not a model folder: tokenizer.json is missing (it holds config.json)."],
    [["a/config.json", "b/tokenizer.json"], "config.json and tokenizer.json are missing"],
  ])("refuses %j", (paths, message) => {
    expect(() =>
      filesFolder(
        "m",
        paths.map((path) => ({ path, blob: blob("") })),
      ),
    ).toThrow(message);
  });

  it("names a file that is missing, too large, or no text", async () => {
    const folder = filesFolder("m", [...minimal, { path: "x.json", blob: new Blob([new Uint8Array([0xff, 0xfe])]) }]);
    await expect(folder.open("model.safetensors")).rejects.toThrow(
      "m has no file model.safetensors; add it to the folder.",
    );
    await expect(readText(folder, "config.json", 1)).rejects.toThrow(
      "config.json of m has 2 bytes, more than the 1 that are read",
    );
    await expect(readText(folder, "x.json", 10)).rejects.toThrow("x.json of m cannot be read as UTF-8 text");
  });
});

describe("httpFolder", () => {
  it("fetches each file once and escapes its path", async () => {
    const asked: string[] = [];
    const fetchFile: typeof fetch = async (url) => {
      asked.push(String(url));
      return new Response("text");
    };
    const folder = httpFolder("m", "https://x.test/a", ["config.json", "tokenizer.json", "on nx/m.onnx"], fetchFile);
    expect(await (await folder.open("on nx/m.onnx")).text()).toBe("text");
    await folder.open("on nx/m.onnx");
    expect(asked).toEqual(["https://x.test/a/on%20nx/m.onnx"]);
    await expect(folder.open("other")).rejects.toThrow("m has no file other");
  });

  it("tries again after a failure and says why it failed", async () => {
    let calls = 0;
    const fetchFile: typeof fetch = async () => {
      calls += 1;
      if (calls === 1) return new Response("", { status: 404 });
      if (calls === 2) throw new TypeError("Failed to fetch");
      return new Response("ok");
    };
    const folder = httpFolder("m", "https://x.test/", ["config.json", "tokenizer.json"], fetchFile);
    await expect(folder.open("config.json")).rejects.toThrow(
      "config.json of m could not be fetched from https://x.test/config.json (HTTP status 404); check the address and the connection.",
    );
    await expect(folder.open("config.json")).rejects.toThrow("(Failed to fetch)");
    expect(await (await folder.open("config.json")).text()).toBe("ok");
  });
});
