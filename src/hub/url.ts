/** A model behind an address that the user typed: one GGUF file, or a safetensors file with its config beside it. */
import { variantOf } from "./choose";
import { HubError, isPassing } from "./errors";
import { nameOf } from "./hash";
import { open, readText, retrying, type Subject, type Web } from "./http";
import type { FoundModel, RemoteFile } from "./types";
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
  const name = decodeName(url.pathname);
  const subject = { model: address, what: name === "" ? "the file" : name, hub: false };
  if (/\.gguf$/i.test(name)) {
    const head = await headOf(url.href, web, subject);
    const kind = ggufKind(name);
    const file: RemoteFile = { path: name, url: url.href, bytes: head.bytes, hash: null };
    return found(url.href, head, [variantOf(name, "gguf", kind.label, [file], kind.refusal)], null);
  }
  if (/\.safetensors$/i.test(name)) return await tensors(url, name, web, subject);
  throw new HubError(
    "address",
    `${address} is no address of a .gguf or .safetensors file; give one of these, or a model of the hub such as org/name.`,
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
  const files: RemoteFile[] = [{ path: "model.safetensors", url: url.href, bytes: head.bytes, hash: null }];
  for (const path of [...required, ...optional]) {
    const beside = new URL(path, url);
    const known = await headOf(beside.href, web, { ...subject, what: path }).catch((error: unknown) => {
      if (error instanceof HubError && error.reason === "not-found") return null;
      throw error;
    });
    if (known && !known.isPage) files.push({ path, url: beside.href, bytes: null, hash: null });
    else if (required.some((needed) => needed === path)) {
      throw new HubError(
        "not-found",
        `${beside.href} is not there, and without ${required.join(" and ")} beside it ${name} cannot be used; put them there, or drop the model's folder here.`,
      );
    }
  }
  const config = await readConfig(new URL("config.json", url).href, web, { ...subject, what: "config.json" });
  return found(
    url.href,
    head,
    [variantOf("model.safetensors", "safetensors", `safetensors, ${name}`, files, null)],
    config,
  );
}

function found(
  id: string,
  { bytes, version }: Head,
  variants: FoundModel["variants"],
  config: FoundModel["config"],
): FoundModel {
  const preferred = variants.find(({ refusal }) => refusal === null)?.id ?? null;
  const notes = ["The address gives no hash, so only the size of what is downloaded can be checked."];
  return { kind: "url", id, commit: nameOf(`${version}\n${bytes}`), variants, preferred, config, notes };
}

interface Head {
  readonly bytes: number | null;
  /** What the server says of the file's version. */
  readonly version: string;
  /** A web page, as some servers send for whatever is not there. */
  readonly isPage: boolean;
}

async function headOf(url: string, web: Web, subject: Subject): Promise<Head> {
  const ask = (init: RequestInit) => retrying(web, () => open(web, url, { cache: "no-store", ...init }, subject));
  const response = await ask({ method: "HEAD" }).catch(async (error: unknown) => {
    if (!(error instanceof HubError) || error.reason === "not-found" || isPassing(error)) throw error;
    // Some servers, and all signed addresses, answer GET alone.
    const first = await ask({ headers: { Range: "bytes=0-0" } });
    await first.body?.cancel().catch(() => undefined);
    return first;
  });
  const { headers, status } = response;
  const length =
    status === 206 ? /\/(\d+)$/.exec(headers.get("content-range") ?? "")?.[1] : headers.get("content-length");
  const isPlain = (headers.get("content-encoding") ?? "identity") === "identity";
  return {
    bytes: isPlain && length && /^\d{1,15}$/.test(length) ? Number(length) : null,
    version: headers.get("etag") ?? headers.get("last-modified") ?? "",
    isPage: (headers.get("content-type") ?? "").startsWith("text/html"),
  };
}

async function readConfig(url: string, web: Web, subject: Subject): Promise<FoundModel["config"]> {
  const text = await retrying(web, async () => readText(await open(web, url, {}, subject), maxConfig, subject));
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
