/** The record of one downloaded model, beside its files: which variants, and which files are finished. */
import * as z from "zod/mini";
import { isFull } from "./disk-errors";
import { nameOf } from "./hash";
import type { ModelStore } from "./store";
import type { FoundModel, Variant } from "./types";

const whole = z.int().check(z.minimum(0));
const fileSchema = z.object({
  path: z.string(),
  url: z.string(),
  bytes: z.nullable(whole),
  hash: z.nullable(z.object({ algorithm: z.enum(["sha256", "git-sha1"]), hex: z.string() })),
});
const variantSchema = z.object({
  id: z.string(),
  format: z.enum(["onnx", "gguf", "safetensors", "other"]),
  label: z.string(),
  files: z.array(fileSchema),
  bytes: z.nullable(whole),
  refusal: z.nullable(z.string()),
});
const manifestSchema = z.object({
  version: z.literal(1),
  /** Grows with every change; the higher of the two slots counts. */
  sequence: whole,
  kind: z.enum(["hub", "url"]),
  id: z.string(),
  commit: z.string(),
  base: z._default(z.nullable(z.string()), null),
  config: z.nullable(z.record(z.string(), z.unknown())),
  variants: z.array(variantSchema),
  /** Bytes of every finished and checked file, by path. */
  finished: z.record(z.string(), whole),
  /** What the server called the version of an unfinished file, by path. */
  etags: z.record(z.string(), z.string()),
  created: z.number(),
  lastUsed: z.number(),
});

export type Manifest = Readonly<z.infer<typeof manifestSchema>>;

/** Two files, written in turns: a tab that closes while it writes one leaves the other. */
const slots = ["manifest-0.json", "manifest-1.json"] as const;

/** The folder of a model. A changed model has another one. */
export const folderOf = ({ kind, id, commit }: Pick<FoundModel, "kind" | "id" | "commit">): string =>
  nameOf(`${kind}\n${id}\n${commit}`);

/** Paths become hashes: they may hold what a file system forbids, or differ only by case. */
export const fileNameOf = (path: string): string => nameOf(path);

/** Null where there is none that can be read. */
export async function readManifest(store: ModelStore, folder: string): Promise<Manifest | null> {
  const read = await Promise.all(slots.map((slot) => readSlot(store, folder, slot)));
  return read.reduce((best, one) => (one && one.sequence > (best?.sequence ?? -1) ? one : best), null);
}

async function readSlot(store: ModelStore, folder: string, slot: string): Promise<Manifest | null> {
  const blob = await store.file(folder, slot);
  if (!blob) return null;
  try {
    const manifest = manifestSchema.safeParse(JSON.parse(await blob.text()));
    return manifest.success ? manifest.data : null;
  } catch {
    return null;
  }
}

/** One change at a time, in all tabs. False where the disk is full: the record is then as before. */
export async function changeManifest(
  store: ModelStore,
  folder: string,
  change: (manifest: Manifest | null) => Omit<Manifest, "version" | "sequence"> | null,
): Promise<boolean> {
  return await store.lock(`${folder}/manifest`, {}, async () => {
    const old = await readManifest(store, folder);
    const next = change(old);
    if (next === null) return true;
    const sequence = (old?.sequence ?? -1) + 1;
    const slot = slots[sequence % 2] ?? slots[0];
    try {
      const writer = await store.openWriter(folder, slot);
      try {
        await writer.truncate(0);
        await writer.write(new TextEncoder().encode(JSON.stringify({ ...next, version: 1, sequence })));
      } finally {
        await writer.close();
      }
      return true;
    } catch (error) {
      if (!isFull(error)) throw error;
      await store.removeFile(folder, slot);
      return false;
    }
  });
}

/** A record with one more variant, or that variant as it is now. */
export function withVariant(
  old: Manifest | null,
  model: FoundModel,
  variant: Variant,
  now: number,
): Omit<Manifest, "version" | "sequence"> {
  const others = (old?.variants ?? []).filter(({ id }) => id !== variant.id);
  return {
    kind: model.kind,
    id: model.id,
    commit: model.commit,
    base: model.base,
    config: model.config ?? old?.config ?? null,
    variants: [...others, { ...variant, files: [...variant.files] }],
    finished: old?.finished ?? {},
    etags: old?.etags ?? {},
    created: old?.created ?? now,
    lastUsed: now,
  };
}
