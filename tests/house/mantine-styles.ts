/** Which of Mantine's style sheets the page needs, read from what it imports and what Mantine's own modules import in turn. */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import ts from "typescript";
import { parse, root, type SourceFile, walkTree } from "./sources";

const packages = join(root, "node_modules", "@mantine");
const sheetsOf = join(packages, "core", "styles");
const always = ["baseline", "default-css-variables", "global"];

/**
 * Sheets of parts that hang on a component in use (`Checkbox.Card`), come into the bundle with it and are drawn only where the
 * page names them.
 */
const parts: ReadonlyMap<string, string> = new Map([
  ["CheckboxCard", "Checkbox.Card"],
  ["CheckboxIndicator", "Checkbox.Indicator"],
  ["RadioCard", "Radio.Card"],
  ["RadioIndicator", "Radio.Indicator"],
]);

/** `imported`: names of the sheets that the page imports, in its order. */
export function mantineStyleFaults(sources: readonly SourceFile[], imported: readonly string[]): string[] {
  const needed = neededSheets(sources);
  const right = [...needed].filter((name) => existsSync(join(sheetsOf, `${name}.css`)));
  const all = readFileSync(join(packages, "core", "styles.css"), "utf8");
  const place = (name: string): number => {
    const path = join(sheetsOf, `${name}.css`);
    return existsSync(path) ? all.indexOf(readFileSync(path, "utf8").trim()) : -1;
  };
  const file = "src/ui/styles/mantine.ts";
  return [
    ...right
      .filter((name) => !imported.includes(name))
      .map((name) => `${file} lacks ${name}.css; add it in its place.`),
    ...imported
      .filter((name) => !needed.has(name))
      .map((name) => `${file} imports ${name}.css, which no component in use needs; take it out.`),
    ...imported
      .filter((name, index) => index > 0 && place(name) <= place(imported[index - 1] ?? ""))
      .map((name) => `${file} imports ${name}.css later than Mantine has it; sheets override those before them.`),
  ];
}

export const importedSheets = (text: string): string[] =>
  [...text.matchAll(/^import "@mantine\/core\/styles\/([\w-]+)\.css";$/gm)].map(([, name]) => name ?? "");

function neededSheets(sources: readonly SourceFile[]): ReadonlySet<string> {
  const sheets = new Set(always);
  const seen = new Set<string>();
  const follow = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    if (file.endsWith(".module.mjs")) {
      sheets.add(basename(file, ".module.mjs"));
      return;
    }
    const tree = parse({ path: file, text: readFileSync(file, "utf8") });
    for (const { specifier, names } of valueImports(tree)) {
      if (specifier.startsWith(".")) follow(resolve(dirname(file), specifier));
      else for (const name of names) enter(specifier, name);
    }
  };
  const enter = (specifier: string, name: string): void => {
    const file = fileOf(specifier, name);
    if (file !== undefined) follow(file);
  };
  for (const source of sources) {
    for (const { specifier, names } of valueImports(parse(source))) for (const name of names) enter(specifier, name);
  }
  for (const [sheet, part] of parts) {
    if (!sources.some(({ text }) => text.includes(part))) sheets.delete(sheet);
  }
  return sheets;
}

interface ValueImport {
  readonly specifier: string;
  readonly names: readonly string[];
}

function valueImports(tree: ts.SourceFile): ValueImport[] {
  const found: ValueImport[] = [];
  walkTree(tree, (node) => {
    if (!ts.isImportDeclaration(node) || !ts.isStringLiteral(node.moduleSpecifier)) return;
    const clause = node.importClause;
    if (!clause || clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return;
    const bindings = clause.namedBindings;
    const elements = bindings && ts.isNamedImports(bindings) ? bindings.elements : [];
    const names = elements.filter(({ isTypeOnly }) => !isTypeOnly).map((each) => (each.propertyName ?? each.name).text);
    found.push({ specifier: node.moduleSpecifier.text, names });
  });
  return found;
}

const indexes = new Map<string, ReadonlyMap<string, string>>();

/** The module of a Mantine package that holds `name`; undefined for other packages and for types. */
function fileOf(specifier: string, name: string): string | undefined {
  const [, folder] = /^@mantine\/([\w-]+)$/.exec(specifier) ?? [];
  const index = folder === undefined ? null : join(packages, folder, "esm", "index.mjs");
  if (index === null || !existsSync(index)) return undefined;
  const known = indexes.get(index) ?? readIndex(index);
  indexes.set(index, known);
  return known.get(name);
}

function readIndex(index: string): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const { specifier, names } of valueImports(parse({ path: index, text: readFileSync(index, "utf8") }))) {
    if (specifier.startsWith(".")) for (const name of names) files.set(name, resolve(dirname(index), specifier));
  }
  return files;
}
