/** What people type for a model. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { parseAddress } from "../../src/hub/address";
import { HubError } from "../../src/hub/errors";

const hub = (id: string, revision: string | null = null, file: string | null = null, type: string | null = null) => ({
  kind: "hub",
  id,
  revision,
  file,
  type,
});
const commit = "0123456789abcdef0123456789abcdef01234567";

afterEach(() => vi.unstubAllGlobals());

describe("an address of a model", () => {
  it.each([
    ["Qwen/Qwen3-0.6B", hub("Qwen/Qwen3-0.6B")],
    ["  Qwen/Qwen3-0.6B\n", hub("Qwen/Qwen3-0.6B")],
    ["gpt2", hub("gpt2")],
    ["org/name@v1.0", hub("org/name", "v1.0")],
    [`org/name@${commit}`, hub("org/name", commit)],
    ["org/name@refs/pr/3", hub("org/name", "refs/pr/3")],
    ["https://huggingface.co/org/name", hub("org/name")],
    ["https://huggingface.co/org/name/", hub("org/name")],
    ["http://www.huggingface.co/org/name?library=x#readme", hub("org/name")],
    ["huggingface.co/org/name", hub("org/name")],
    ["hf.co/org/name", hub("org/name")],
    ["https://hf.co/org/name/tree/dev", hub("org/name", "dev")],
    ["https://huggingface.co/org/name/tree/refs%2Fpr%2F1/onnx", hub("org/name", "refs/pr/1")],
    ["https://huggingface.co/org/name/tree/refs/pr/1", hub("org/name", "refs/pr/1")],
    ["https://huggingface.co/org/name/tree/refs/pr/1/onnx", hub("org/name", "refs/pr/1")],
    ["https://huggingface.co/org/name/blob/refs/pr/12/a/m.gguf", hub("org/name", "refs/pr/12", "a/m.gguf")],
    ["hf.co/org/name:Q4_K_M", hub("org/name", null, null, "Q4_K_M")],
    ["org/name:Q4_K_M", hub("org/name", null, null, "Q4_K_M")],
    ["org/name@v1:UD-Q4_K_XL", hub("org/name", "v1", null, "UD-Q4_K_XL")],
    ["org/name:latest", hub("org/name")],
    ["https://huggingface.co/org/name/blob/main/a/model-Q4_0.gguf", hub("org/name", "main", "a/model-Q4_0.gguf")],
    ["https://huggingface.co/org/name/resolve/main/model.gguf?download=true", hub("org/name", "main", "model.gguf")],
    [`https://huggingface.co/org/name/commit/${commit}`, hub("org/name", commit)],
    ["https://huggingface.co/gpt2/tree/main", hub("gpt2", "main")],
    ["https://cdn-lfs.hf.co/a/model.gguf?x=1", { kind: "url", url: "https://cdn-lfs.hf.co/a/model.gguf?x=1" }],
    ["https://cdn-lfs-us-1.huggingface.co/m.gguf", { kind: "url", url: "https://cdn-lfs-us-1.huggingface.co/m.gguf" }],
    ["http://localhost:8000/m.gguf", { kind: "url", url: "http://localhost:8000/m.gguf" }],
  ])("is understood: %s", (text, expected) => {
    vi.stubGlobal("location", { origin: "http://localhost:8000" });
    expect(parseAddress(text)).toEqual(expected);
  });

  it.each([
    ["", "nothing was typed"],
    ["a b/c", '"a b/c" is no name of a model'],
    ["a/b/c", '"a/b/c" is no name of a model'],
    ["org/name:", "is no name of a model"],
    ["org/name:a/b", "is no name of a model"],
    ["../etc", "is no name of a model"],
    ["org/..", "is no name of a model"],
    ["org/name--x", "is no name of a model"],
    ["org/.name", "is no name of a model"],
    ["org/name@a@b", "more than one @"],
    ["org/name@../x", "is no branch, tag or commit"],
    ["org/name@", "is no branch, tag or commit"],
    ["https://huggingface.co/", "is no name of a model"],
    ["https://huggingface.co/datasets/org/name", "one of the hub's datasets"],
    ["https://huggingface.co/org/%E0%A4%A/tree/main", "no valid part of an address"],
    ["https://user:secret@example.org/m.gguf", "a name and a password"],
    ["ftp://example.org/m.gguf", "ftp: cannot be fetched"],
    ["file:///etc/passwd", "file: cannot be fetched"],
    ["https://", "no valid address"],
    [`a/${"b".repeat(3000)}`, "characters"],
  ])("is refused in one sentence: %s", (text, problem) => {
    const error = (() => {
      try {
        return parseAddress(text);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(HubError);
    expect(error).toMatchObject({ reason: "address", message: expect.stringContaining(problem) });
  });

  it.each([
    "https://example.org/a/model.gguf",
    "https://huggingface.co.example.org/m.gguf",
    "https://evilhuggingface.co/m.gguf",
    "https://evilhf.co/m.gguf",
    "http://cdn-lfs.hf.co/m.gguf",
    "https://cdn-lfs.hf.co:8443/m.gguf",
    "http://localhost:8001/m.gguf",
    "https://example.org/m.gguf?token=SECRET",
  ])("on a host that this page may not ask is refused with what to do: %s", (text) => {
    expect(() => parseAddress(text)).toThrow(
      expect.objectContaining({
        reason: "elsewhere",
        message: expect.stringMatching(/^(?!.*SECRET).* download the file yourself and drop it here\.$/),
      }),
    );
  });

  it.each([
    "https://user:SECRET@example.org/m.gguf",
    "https://SECRET@example.org/m.gguf",
    "ftp://example.org/m.gguf?token=SECRET",
    "https://huggingface.co/datasets/org/name?token=SECRET with spaces",
    `https://example.org/${"b".repeat(10)}?token=SECRET${"b".repeat(3000)}`,
  ])("never repeats what may let others in: %s", (text) => {
    expect(() => parseAddress(text)).toThrow(
      expect.objectContaining({ reason: "address", message: expect.not.stringContaining("SECRET") }),
    );
  });
});
