/** A GGUF file as a model folder: its metadata become config.json, tokenizer.json and tokenizer_config.json. */
import { ModelError } from "./errors";
import type { FolderFile } from "./folder";
import { ggufTokenizer } from "./tokenizers/gguf";
import { architectureOfFile } from "./weights/gguf/architectures";
import { readHeader } from "./weights/gguf/header";
import type { ModelFiles } from "./weights/types";

/**
 * null where the files are no GGUF model: none of them is one, or a config.json says how to read the others. Of what lies
 * beside the GGUF file (a licence, a model card) nothing is used.
 * Throws `ModelError` for several GGUF files, `WeightsError` for a broken one, `TokenizerError` for a tokenizer not built.
 */
export async function ggufFolder(files: readonly FolderFile[]): Promise<ModelFiles | null> {
  const names = files.map(({ path }) => path.replaceAll("\\", "/"));
  if (names.some((path) => /(^|\/)config\.json$/.test(path))) return null;
  const found = files.filter(({ path }) => /\.gguf$/i.test(path));
  const [first, another] = found;
  if (!first) return null;
  if (another) {
    throw new ModelError(
      `There are ${found.length} GGUF files (${found
        .slice(0, 4)
        .map(({ path }) => path)
        .join(", ")}${found.length > 4 ? ", …" : ""}); give one of them.`,
    );
  }
  const file = first.path.slice(first.path.replaceAll("\\", "/").lastIndexOf("/") + 1);
  const header = await readHeader(first.blob, file);
  const architecture = await architectureOfFile(header);
  const tokenizer = await ggufTokenizer(header.metadata);
  const { bosTokenId, eosTokenIds } = tokenizer;
  const config = {
    ...(await architecture.config(header, tokenizer.tokens)),
    bos_token_id: bosTokenId,
    eos_token_id: eosTokenIds,
  };
  const blobs = new Map([
    ["config.json", json(config)],
    ["tokenizer.json", json(tokenizer.tokenizer)],
    ["tokenizer_config.json", json(tokenizer.config)],
    [file, first.blob],
  ]);
  const name = file.replace(/\.gguf$/i, "");
  return {
    name,
    paths: [...blobs.keys()],
    async open(path) {
      const blob = blobs.get(path);
      if (!blob) throw new ModelError(`${name} has no file ${path}; it is a single GGUF file.`);
      return blob;
    },
  };
}

const json = (value: unknown): Blob => new Blob([JSON.stringify(value)], { type: "application/json" });
