/**
 * A golden number has its script in the tree: every data file here is made by the script of the same name (x-y.json, x_y.py), or by the one
 * whose docstring opens with "Makes <file>, <folder>/ and <file>: …".
 */
import { readdirSync, readFileSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const folder = fileURLToPath(new URL(".", import.meta.url));
/** What is written by hand; every other file here is data. */
const handWritten = new Set([".py", ".sh", ".md", ".ts", ".txt"]);

const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => name !== "__pycache__");
/** Folders end with a slash, as the docstrings write them. */
const data = entries
  .filter((entry) => entry.isDirectory() || !handWritten.has(extname(entry.name)))
  .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
const scripts = entries.filter(({ name }) => extname(name) === ".py").map(({ name }) => name);

function claims(script: string): readonly string[] {
  const docstring = /^"""([\s\S]*?)"""/.exec(readFileSync(folder + script, "utf8"))?.[1] ?? "";
  const sentence = /^Makes ([\s\S]*?)(?::\s|\.\s|\n\n)/.exec(`${docstring}\n\n`)?.[1] ?? "";
  const named = sentence.match(/[\w-]+(?:\/|\.(?:jsonl?|safetensors|onnx|bin))(?=[\s,]|$)/g) ?? [];
  const sameName = data.filter((name) => name.replaceAll("-", "_") === `${script.slice(0, -3)}.json`);
  return [...new Set([...named, ...sameName])];
}

describe("golden files", () => {
  const makers = scripts.flatMap((script) => claims(script).map((name) => ({ name, script })));

  it("are each made by one script, and each script's files are there", () => {
    expect(data.length).toBeGreaterThan(0);
    expect(makers.map(({ name }) => name).toSorted()).toEqual(data.toSorted());
  });

  it("name that script themselves where they carry a name", () => {
    const carriers = data.flatMap((name) => (name.endsWith("/") ? jsonIn(name) : name.endsWith(".json") ? [name] : []));
    let named = 0;
    for (const path of carriers) {
      const value: { readonly script?: unknown } = JSON.parse(readFileSync(folder + path, "utf8"));
      if (value.script === undefined) continue;
      const maker = makers.find(({ name }) => path === name || (name.endsWith("/") && path.startsWith(name)));
      expect(value.script, path).toBe(`tests/golden/${maker?.script}`);
      named++;
    }
    expect(named).toBeGreaterThan(0);
  });
});

function jsonIn(directory: string): readonly string[] {
  return readdirSync(folder + directory, { recursive: true, encoding: "utf8" })
    .map((path) => directory + path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".json"));
}
