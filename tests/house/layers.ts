/** Which folder of src may import which. The table is src/ARCHITECTURE.md's. */
import { importsOf, resolveSpecifier, type SourceFile } from "./sources";

interface Layer {
  /** Path prefixes below src (or outside: "shaders") that may be imported. */
  readonly values: readonly string[];
  /** Path prefixes whose types may be imported, and nothing else. */
  readonly types: readonly string[];
  /** What to do instead. */
  readonly instead: string;
}

const layers: Readonly<Record<string, Layer>> = {
  engine: {
    values: [],
    types: [],
    instead: "the engine knows no op, model or data by name; pass in what it needs as a declaration or a function",
  },
  ops: {
    values: ["engine", "shaders"],
    types: [],
    instead: "an op speaks of tensors and sizes only; let the model hand it those",
  },
  model: {
    values: ["engine", "ops"],
    types: ["data"],
    instead: "a model maps tokens to logits; training, storage and files of others come to it as arguments",
  },
  data: {
    values: [],
    types: [],
    instead:
      "declare the interface that you need in data/ (as Tokenizer is) and let worker/studio.ts pass in who implements it",
  },
  training: {
    values: ["engine", "ops", "model"],
    types: ["data"],
    instead: "yield a value and let worker/studio.ts store, export or show it",
  },
  export: {
    values: [],
    types: ["model", "training"],
    instead: "an export turns an Adapter and its base's description into bytes; take them as plain data",
  },
  hub: {
    values: [],
    types: ["model"],
    instead: "the hub hands over files; let worker/studio.ts look into them",
  },
  offline: {
    values: [],
    types: [],
    instead: "the service worker keeps files and knows nothing of what is in them",
  },
  worker: {
    values: ["engine", "ops", "model", "data", "training", "export", "hub"],
    types: [],
    instead: "the worker knows no interface; send an event of worker/protocol.ts",
  },
  ui: {
    values: ["worker/client", "worker/protocol", "worker/errors", "training/recipe"],
    types: ["offline"],
    instead: "ask the worker through the client; a new question is a new call in worker/protocol.ts",
  },
};

const covers = (prefix: string, target: string): boolean => target === prefix || target.startsWith(`${prefix}/`);

/** One sentence for each import that breaks the table. */
export function layerFaults(files: readonly SourceFile[]): string[] {
  const faults: string[] = [];
  for (const file of files) {
    const from = file.path.split("/")[1] ?? "";
    const layer = layers[from];
    if (layer === undefined) {
      faults.push(
        `${file.path}: src/${from} is in no layer; put the file into one of ${Object.keys(layers).join(", ")}.`,
      );
      continue;
    }
    for (const { specifier, typeOnly, line } of importsOf(file)) {
      const resolved = resolveSpecifier(file.path, specifier);
      if (resolved === null) continue;
      const target = resolved.replace(/^src\//, "");
      if (covers(from, target) || layer.values.some((prefix) => covers(prefix, target))) continue;
      const typesAllowed = layer.types.some((prefix) => covers(prefix, target));
      if (typesAllowed && typeOnly) continue;
      const what = typesAllowed ? `only types of ${target}` : `nothing of ${target}`;
      faults.push(`${file.path}:${line}: ${from}/ may import ${what}; ${layer.instead}.`);
    }
  }
  return faults;
}

/** Packages that a folder may not import, with the reason. */
const packages: readonly { readonly folders: readonly string[]; readonly pattern: RegExp; readonly instead: string }[] =
  [
    {
      folders: ["engine", "ops", "model", "data", "training", "export", "hub", "offline", "worker"],
      pattern: /^(react|react-dom|@mantine|zustand|uplot|lucide-react)(\/|$)/,
      instead: "interface packages belong into ui/",
    },
    {
      folders: ["engine", "ops", "data", "training", "export"],
      pattern: /^(onnxruntime-web|@xenova\/transformers|idb-keyval)(\/|$)/,
      instead: "other runtimes and storage are worker/'s business",
    },
    { folders: Object.keys(layers), pattern: /^node:/, instead: "src runs in a browser; scripts/ may use Node" },
  ];

/** One sentence for each package import that does not fit its folder. */
export function packageFaults(files: readonly SourceFile[]): string[] {
  const faults: string[] = [];
  for (const file of files) {
    const from = file.path.split("/")[1] ?? "";
    for (const { specifier, typeOnly, line } of importsOf(file)) {
      if (specifier.startsWith(".") || typeOnly) continue;
      for (const { folders, pattern, instead } of packages) {
        if (folders.includes(from) && pattern.test(specifier)) {
          faults.push(`${file.path}:${line}: ${from}/ may not import ${specifier}; ${instead}.`);
        }
      }
    }
  }
  return faults;
}

/** Every import cycle, types included, as "a → b → a", each once. */
export function importCycles(files: readonly SourceFile[]): string[] {
  const byModule = new Map(files.map((file) => [file.path.replace(/\.tsx?$/, ""), file]));
  const targets = (file: SourceFile): string[] =>
    importsOf(file).flatMap(({ specifier }) => {
      const resolved = resolveSpecifier(file.path, specifier);
      if (resolved === null) return [];
      return [resolved, `${resolved}/index`].filter((module) => byModule.has(module));
    });
  const done = new Set<string>();
  const path: string[] = [];
  const cycles: string[] = [];
  const visit = (module: string): void => {
    const start = path.indexOf(module);
    if (start >= 0) {
      cycles.push([...path.slice(start), module].join(" → "));
      return;
    }
    const file = byModule.get(module);
    if (done.has(module) || file === undefined) return;
    path.push(module);
    for (const target of targets(file)) visit(target);
    path.pop();
    done.add(module);
  };
  for (const module of byModule.keys()) visit(module);
  return cycles.map(
    (cycle) => `${cycle}: modules may not import each other in a circle; move what they share into a third.`,
  );
}
