/** The project's own files as text, and what the house rules read from them. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import ts from "typescript";

export const root = resolve(import.meta.dirname, "..", "..");

/** `path` is relative to the root, with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export interface ImportedModule {
  /** As written: "../engine/tensor", "zod/mini", "./*.ts" for a glob. */
  readonly specifier: string;
  readonly typeOnly: boolean;
  readonly line: number;
}

/** Written by a generator, not by hand. */
const generatedFolders = ["src/model/weights/onnx-proto"];

/** Files under the folders whose names end in one of the extensions; a folder that is not there gives none. */
export function readSources(folders: readonly string[], extensions: readonly string[]): SourceFile[] {
  const found: SourceFile[] = [];
  const walk = (folder: string): void => {
    for (const name of readdirSync(folder).sort()) {
      const full = join(folder, name);
      if (statSync(full).isDirectory()) walk(full);
      else if (extensions.some((extension) => name.endsWith(extension))) {
        found.push({ path: relative(root, full).split(sep).join("/"), text: readFileSync(full, "utf8") });
      }
    }
  };
  for (const folder of folders) {
    const full = join(root, folder);
    if (statSync(full, { throwIfNoEntry: false })?.isDirectory()) walk(full);
  }
  return found.filter(({ path }) => !generatedFolders.some((folder) => path.startsWith(`${folder}/`)));
}

/** src's TypeScript, generated files excepted. */
export const readSrc = (): SourceFile[] => readSources(["src"], [".ts", ".tsx"]);

const trees = new WeakMap<SourceFile, ts.SourceFile>();

/** The file's syntax tree; parsed once. */
export function parse(file: SourceFile): ts.SourceFile {
  const tree = trees.get(file) ?? parseAnew(file);
  trees.set(file, tree);
  return tree;
}

function parseAnew(file: SourceFile): ts.SourceFile {
  const kind = file.path.endsWith(".tsx") ? ts.ScriptKind.TSX : ts.ScriptKind.TS;
  return ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true, kind);
}

/** Calls `visit` on every node of the tree. */
export function walkTree(tree: ts.Node, visit: (node: ts.Node) => void): void {
  visit(tree);
  ts.forEachChild(tree, (child) => walkTree(child, visit));
}

/** 1-based. */
export function lineOf(node: ts.Node): number {
  const tree = node.getSourceFile();
  return tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
}

/** Every module that a file names: import, export … from, import(), import type(), import.meta.glob, new URL(…, import.meta.url). */
export function importsOf(file: SourceFile): ImportedModule[] {
  const imports: ImportedModule[] = [];
  const add = (node: ts.Node, specifier: ts.Node | undefined, typeOnly: boolean): void => {
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) {
      imports.push({ specifier: specifier.text, typeOnly, line: lineOf(node) });
    }
  };
  walkTree(parse(file), (node) => {
    if (ts.isImportDeclaration(node)) add(node, node.moduleSpecifier, isTypeOnlyImport(node));
    else if (ts.isExportDeclaration(node)) add(node, node.moduleSpecifier, isTypeOnlyExport(node));
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node, node.argument.literal, true);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node, node.arguments[0], false);
    } else if (ts.isCallExpression(node) && node.expression.getText() === "import.meta.glob") {
      const [patterns] = node.arguments;
      const list = patterns !== undefined && ts.isArrayLiteralExpression(patterns) ? patterns.elements : [patterns];
      for (const pattern of list) add(node, pattern, false);
    } else if (ts.isNewExpression(node) && node.arguments?.[1]?.getText() === "import.meta.url") {
      add(node, node.arguments[0], false);
    }
  });
  return imports;
}

function isTypeOnlyImport(node: ts.ImportDeclaration): boolean {
  const clause = node.importClause;
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const named = clause.namedBindings;
  if (clause.name !== undefined || named === undefined || !ts.isNamedImports(named)) return false;
  return named.elements.length > 0 && named.elements.every((element) => element.isTypeOnly);
}

function isTypeOnlyExport(node: ts.ExportDeclaration): boolean {
  if (node.isTypeOnly) return true;
  const clause = node.exportClause;
  if (clause === undefined || !ts.isNamedExports(clause)) return false;
  return clause.elements.length > 0 && clause.elements.every((element) => element.isTypeOnly);
}

/** The root-relative path that a relative specifier means, query and extension removed; null for a package. */
export function resolveSpecifier(from: string, specifier: string): string | null {
  if (!specifier.startsWith(".")) return null;
  const folder = from.split("/").slice(0, -1);
  for (const part of specifier.replace(/\?.*$/, "").split("/")) {
    if (part === "..") folder.pop();
    else if (part !== ".") folder.push(part);
  }
  return folder.join("/").replace(/\.tsx?$/, "");
}
