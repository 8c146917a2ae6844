/** A model behind an address on the hub's hosts or on this site: one GGUF file, or a safetensors file with its config beside it. */
import { variantOf } from "./choose";
import { HubError } from "./errors";
import { nameOf } from "./hash";
import { open, readText, retrying, type Subject, type Web } from "./http";
import type { FoundModel, RemoteFile } from "./types";
import { type Head, headOf } from "./url-head";
import { ggufKind } from "./variants";

const required = ["config.json", "tokenizer.json"] as const;
const optional = [
  "generation_config.json",
  "tokenizer_config.json",
  "chat_template.jinja",
  "special_tokens_map.json",
] as const;
const maxConfig = 1_000_000;

/** Throws `HubError`: not there, no model, no access from a page. */
export async function lookUpUrl(address: string, web: Web): Promise<FoundModel> {
  const url = new URL(address);
  url.hash = "";
  const id = url.origin + url.pathname;
  const name = decodeName(url.pathname);
  const subject = { model: id, what: name === "" ? "the file" : name, hub: false };
  if (/\.gguf$/i.test(name)) {
    const kind = ggufKind(name);
    const file = { path: name, url: url.href, hash: null, head: await headOf(url.href, web, subject) };
    return found(url, [file], (files) => variantOf(name, "gguf", kind.label, files, kind.refusal), null);
  }
  if (/\.safetensors$/i.test(name)) return await tensors(url, name, web, subject);
  throw new HubError(
    "address",
    `${id} is no address of a .gguf or .safetensors file; give one of these, or a model of the hub such as org/name.`,
  );
}

async function tensors(url: URL, name: string, web: Web, subject: Subject): Promise<FoundModel> {
  if (/-\d{5}-of-\d{5}\.safetensors$/i.test(name)) {
    throw new HubError(
      "unusable",
      `${name} is one part of several; give the model's name on the hub, or drop its folder here.`,
    );
  }
  const head = await headOf(url.href, web, subject);
  // Whatever it is called there, the loader knows this name.
  const files: HeadedFile[] = [{ path: "model.safetensors", url: url.href, hash: null, head }];
  for (const path of [...required, ...optional]) {
    const beside = new URL(path, url);
    const known = await headOf(beside.href, web, { ...subject, what: path }).catch((error: unknown) => {
      if (error instanceof HubError && error.reason === "not-found") return null;
      throw error;
    });
    if (known && !known.isPage) files.push({ path, url: beside.href, hash: null, head: known });
    else if (required.some((needed) => needed === path)) {
      throw new HubError(
        "not-found",
        `${beside.href} is not there, and without ${required.join(" and ")} beside it ${name} cannot be used; put them there, or drop the model's folder here.`,
      );
    }
  }
  const config = await readConfig(new URL("config.json", url).href, web, { ...subject, what: "config.json" });
  const variant = (all: readonly RemoteFile[]) =>
    variantOf("model.safetensors", "safetensors", `safetensors, ${name}`, all, null);
  return found(url, files, variant, config);
}

interface HeadedFile extends Omit<RemoteFile, "bytes"> {
  readonly head: Head;
}

function found(
  url: URL,
  headed: readonly HeadedFile[],
  variantFor: (files: readonly RemoteFile[]) => FoundModel["variants"][number],
  config: FoundModel["config"],
): FoundModel {
  const variant = variantFor(headed.map(({ head, ...file }) => ({ ...file, bytes: head.bytes })));
  // All that is known of what lies there. The config has been read, so that it counts itself.
  const known = headed.map(({ path, head }) => [path, head.version || head.bytes]);
  const fingerprint = nameOf(JSON.stringify([url.search, known, config])).slice(0, 16);
  const unnamed = headed.filter(({ head }) => head.version === "").map(({ path }) => path);
  const notes = ["The address gives no hash, so what is downloaded cannot be checked against one."];
  if (unnamed.length > 0) {
    notes.push(
      `The server names no version of ${unnamed.join(" and ")}, so a change there may not be noticed once it is downloaded; delete the model here to fetch it again.`,
    );
  }
  return {
    kind: "url",
    id: url.origin + url.pathname,
    commit: `v${fingerprint}`,
    base: null,
    variants: [variant],
    preferred: variant.refusal === null ? variant.id : null,
    config,
    notes,
  };
}

async function readConfig(url: string, web: Web, subject: Subject): Promise<FoundModel["config"]> {
  const text = await retrying(web, async () =>
    readText(await open(web, url, { cache: "no-store" }, subject), maxConfig, web, subject),
  );
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Refused below, like JSON that is no object.
  }
  throw new HubError("damaged", `${url} is not a JSON object; check what the server sends for it.`);
}

function decodeName(path: string): string {
  const last = path.slice(path.lastIndexOf("/") + 1);
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}
