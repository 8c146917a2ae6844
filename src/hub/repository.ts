/** A repository of the hub: its files at one commit, with sizes and hashes. */
import { listFiles, modelInfo } from "@huggingface/hub";
import * as z from "zod/mini";
import { isHubId } from "./address";
import { catalogue } from "./catalogue";
import { chooseVariants, ggufOfType, preferredVariant } from "./choose";
import { HubError, reasonOf } from "./errors";
import { gated, open, readText, retrying, type Subject, type Web } from "./http";
import type { FoundModel, ModelAddress, RemoteFile } from "./types";

const hub = "https://huggingface.co";
const maxFiles = 10_000;
const maxPages = 200;
const maxPage = 16_000_000;
const maxConfig = 1_000_000;

const hex = (digits: number) => z.string().check(z.regex(new RegExp(`^[0-9a-f]{${digits}}$`)));
const infoSchema = z.object({
  sha: hex(40),
  name: z.string(),
  gated: z.union([z.literal(false), z.string()]),
  cardData: z.optional(z.unknown()),
});
const cardSchema = z.object({
  base_model: z.union([z.string(), z.array(z.string()).check(z.length(1))]),
  base_model_relation: z.optional(z.nullable(z.literal("quantized"))),
});
/** What transformers opens by the repository's name. */
const ownWeights = /^(model|pytorch_model)(-\d{5}-of-\d{5})?\.(safetensors|bin)$/;
const size = z.int().check(z.minimum(0));
const entrySchema = z.object({
  type: z.string(),
  path: z.string().check(z.maxLength(500)),
  size,
  oid: z.optional(z.string()),
  lfs: z.optional(z.object({ oid: hex(64), size })),
});

/** Throws `HubError`: not there, private, gated, asked too often, no connection. */
export async function lookUpRepository(
  { id, revision, file, type }: Extract<ModelAddress, { kind: "hub" }>,
  web: Web,
): Promise<FoundModel> {
  const info = await readInfo(id, revision, web);
  const { files, notes } = await readFiles(info.name, info.sha, web);
  if (file !== null && !files.some(({ path }) => path === file)) {
    throw new HubError("not-found", `${info.name} has no file ${file}; check the address, or give ${info.name} alone.`);
  }
  const config = await readConfig(info.name, files, web);
  const { variants, notes: more } = chooseVariants({ files, config });
  const lacking = type !== null && !ggufOfType(variants, type);
  return {
    kind: "hub",
    id: info.name,
    commit: info.sha,
    base: files.some(({ path }) => ownWeights.test(path)) ? null : baseOf(info),
    variants,
    preferred: preferredVariant(variants, file, type),
    config,
    notes: [
      ...notes,
      ...more,
      ...(lacking ? [`${info.name} has no GGUF file of the type ${type}; choose one of those that are listed.`] : []),
    ],
  };
}

/** A card that names several models, or calls this one a fine-tune of another, names no model that this one stands for. */
function baseOf({ name, cardData }: z.infer<typeof infoSchema>): string | null {
  const card = cardSchema.safeParse(cardData);
  const base = card.success ? [card.data.base_model].flat()[0] : undefined;
  return base !== undefined && isHubId(base) && base !== name ? base : null;
}

async function readInfo(id: string, revision: string | null, web: Web): Promise<z.infer<typeof infoSchema>> {
  const subject = { model: id, what: "the description", hub: true };
  const answer = await asked(web, subject, () =>
    modelInfo({
      name: id,
      additionalFields: ["sha", "cardData"],
      ...(revision === null ? {} : { revision }),
      fetch: hubFetch(web, subject),
    }),
  );
  const info = infoSchema.safeParse(answer);
  // An old name leads to the new one, which may not lead out of the hub's names.
  if (!info.success || !isHubId(info.data.name)) throw unreadable(subject);
  if (info.data.gated !== false) {
    const { name } = info.data;
    throw gated(name, catalogue.find((entry) => entry.id === name)?.mirrors ?? []);
  }
  return info.data;
}

async function readFiles(id: string, commit: string, web: Web): Promise<{ files: RemoteFile[]; notes: string[] }> {
  const whole = await readTree(id, commit, undefined, web);
  if (whole !== null) return { files: whole, notes: [] };
  // Too many for one list: the two folders that models lie in.
  const top = await readTree(id, commit, "", web);
  const onnx = await readTree(id, commit, "onnx", web).catch((error: unknown) => {
    if (error instanceof HubError && error.reason === "not-found") return [];
    throw error;
  });
  if (top === null || onnx === null) {
    throw new HubError(
      "unusable",
      `${id} holds more than ${maxFiles} files in one folder; give a repository of one model.`,
    );
  }
  const notes = [`${id} holds more than ${maxFiles} files; its top folder and onnx/ were looked at.`];
  return { files: [...top, ...onnx], notes };
}

/** One folder, or with `folder` undefined all of them; null where there are more than `maxFiles`. */
async function readTree(
  id: string,
  commit: string,
  folder: string | undefined,
  web: Web,
): Promise<RemoteFile[] | null> {
  const subject = { model: id, what: "the list of files", hub: true };
  return asked(web, subject, async () => {
    const files: RemoteFile[] = [];
    const entries = listFiles({
      repo: { type: "model", name: id },
      revision: commit,
      recursive: folder === undefined,
      ...(folder ? { path: folder } : {}),
      fetch: hubFetch(web, subject),
    });
    let seen = 0;
    for await (const listed of entries) {
      if (++seen > maxFiles) return null;
      const entry = entrySchema.safeParse(listed);
      if (!entry.success) throw unreadable(subject);
      if (entry.data.type === "file" && isSafe(entry.data.path)) files.push(remoteFile(id, commit, entry.data));
    }
    return files;
  });
}

function remoteFile(
  id: string,
  commit: string,
  { path, size: bytes, oid, lfs }: z.infer<typeof entrySchema>,
): RemoteFile {
  const url = `${hub}/${id}/resolve/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`;
  if (lfs) return { path, url, bytes: lfs.size, hash: { algorithm: "sha256", hex: lfs.oid } };
  const isGit = oid !== undefined && /^[0-9a-f]{40}$/.test(oid);
  return { path, url, bytes, hash: isGit ? { algorithm: "git-sha1", hex: oid } : null };
}

async function readConfig(id: string, files: readonly RemoteFile[], web: Web): Promise<FoundModel["config"]> {
  const config = files.find(({ path }) => path === "config.json");
  if (!config) return null;
  const subject = { model: id, what: "config.json", hub: true };
  const text = await retrying(web, async () =>
    readText(await open(web, config.url, {}, subject), maxConfig, web, subject),
  );
  try {
    const parsed = z.record(z.string(), z.unknown()).safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
  } catch {
    // What is no JSON is refused below, like JSON that is no object.
  }
  throw new HubError("damaged", `config.json of ${id} is not a JSON object; choose another repository.`);
}

/** The library's calls through our own checks: its errors name a status, ours a remedy. Bounds every answer. */
function hubFetch(web: Web, subject: Subject): typeof fetch {
  let pages = 0;
  return async (input, init) => {
    const url = String(input instanceof Request ? input.url : input);
    // An answer names the page that follows it.
    if (++pages > maxPages || new URL(url).origin !== hub) throw unreadable(subject);
    return retrying(web, async () => {
      const response = await open(web, url, init ?? {}, subject);
      const text = await readText(response, maxPage, web, subject);
      return new Response(text, { status: response.status, headers: response.headers });
    });
  };
}

async function asked<T>(web: Web, subject: Subject, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof HubError || web.signal?.aborted) throw error;
    throw unreadable(subject, error);
  }
}

function unreadable({ model, what }: Subject, cause?: unknown): HubError {
  const detail = cause === undefined ? "" : ` (${reasonOf(cause)})`;
  return new HubError("server", `The hub's answer to ${what} of ${model} cannot be read${detail}; try again later.`, {
    cause,
  });
}

const isSafe = (path: string): boolean =>
  path !== "" && !path.startsWith("/") && !path.includes("\\") && !path.split("/").includes("..");
