/** Rules about what a file may say, wherever it says it. */
import ts from "typescript";
import { lineOf, parse, type SourceFile, walkTree } from "./sources";

interface TextRule {
  readonly applies: (path: string) => boolean;
  readonly pattern: RegExp;
  readonly message: string;
}

const inSrc = (path: string): boolean => path.startsWith("src/");
const inAny =
  (...folders: string[]) =>
  (path: string) =>
    folders.some((folder) => path.startsWith(`src/${folder}/`));

export const shadersAreFiles: TextRule = {
  applies: inSrc,
  pattern: /@workgroup_size\s*\(/,
  message: "WGSL lives in shaders/*.wgsl; import it with ?raw",
};

export const onlyEngineTouchesTheDevice: TextRule = {
  applies: (path) => inSrc(path) && !path.startsWith("src/engine/"),
  pattern: /\b(createBuffer|createBindGroup|createComputePipeline(Async)?|createShaderModule|requestDevice)\b/,
  message: "only src/engine/ touches GPUDevice; declare a kernel or ask the engine for a tensor",
};

export const architecturesAreForwardOnly: TextRule = {
  applies: inAny("model/architectures"),
  pattern: /lora|gradient|backward/i,
  message:
    "an architecture holds a forward and nothing of LoRA or gradients; the network's linear() and the ops bring those",
};

export const dataAndExportRunInNode: TextRule = {
  applies: inAny("data", "export"),
  pattern: /\b(GPU[A-Z]\w*|navigator|window|document|localStorage|indexedDB|HTMLElement|postMessage)\b(?!["'`])/,
  message: "data/ and export/ run in Node: no GPU, no DOM",
};

/** One sentence for each line of code (comments do not count) that a rule forbids. */
export function textFaults(files: readonly SourceFile[], rule: TextRule): string[] {
  const faults: string[] = [];
  for (const file of files) {
    if (!rule.applies(file.path)) continue;
    for (const [idx, line] of withoutComments(file).split("\n").entries()) {
      const match = rule.pattern.exec(line);
      if (match) faults.push(`${file.path}:${idx + 1}: "${match[0]}" may not stand here; ${rule.message}.`);
    }
  }
  return faults;
}

const codeByFile = new WeakMap<SourceFile, string>();

/** The text with every comment blanked out, line for line. */
function withoutComments(file: SourceFile): string {
  const known = codeByFile.get(file);
  if (known !== undefined) return known;
  const { text } = file;
  const tree = parse(file);
  let code = text;
  const blank = ({ pos, end }: ts.CommentRange): void => {
    code = code.slice(0, pos) + text.slice(pos, end).replace(/[^\n]/g, " ") + code.slice(end);
  };
  // Comments stand before and after tokens, which forEachChild leaves out. JSX text may hold "//" that is no comment.
  const visit = (node: ts.Node): void => {
    const children = node.getChildren(tree);
    for (const child of children) visit(child);
    if (children.length > 0 || ts.isJsxText(node)) return;
    for (const range of ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []) blank(range);
    for (const range of ts.getTrailingCommentRanges(text, node.getEnd()) ?? []) blank(range);
  };
  visit(tree);
  codeByFile.set(file, code);
  return code;
}

/** The model hub, which is asked only when the user picks a model there; and names that are no addresses. */
const allowedAddresses = [
  /^https:\/\/huggingface\.co(\/|$)/,
  /^http:\/\/www\.w3\.org\//,
  /^https?:\/\/(localhost|127\.0\.0\.1)(:|\/|$)/,
];

/** One sentence for each network address in a string, a template or JSX text. */
export function addressFaults(files: readonly SourceFile[]): string[] {
  const faults: string[] = [];
  for (const file of files) {
    walkTree(parse(file), (node) => {
      const isText =
        ts.isStringLiteralLike(node) ||
        ts.isJsxText(node) ||
        ts.isTemplateHead(node) ||
        ts.isTemplateMiddleOrTemplateTail(node);
      if (!isText) return;
      for (const [address] of node.text.matchAll(/\b(?:https?|wss?):\/\/[^\s"'`<>)]+/g)) {
        if (!allowedAddresses.some((allowed) => allowed.test(address))) {
          faults.push(
            `${file.path}:${lineOf(node)}: ${address} is an outside address; nothing of the user's goes out.`,
          );
        }
      }
    });
  }
  return faults;
}

const builtInErrors =
  /^(Error|TypeError|RangeError|SyntaxError|ReferenceError|EvalError|URIError|AggregateError|DOMException)$/;

/** One sentence for each throw of something that is no error class of the project, and each making of a built-in error. */
export function throwFaults(files: readonly SourceFile[]): string[] {
  const classes = new Set(files.flatMap((file) => errorClasses(file)));
  const faults: string[] = [];
  for (const file of files) {
    walkTree(parse(file), (node) => {
      const at = `${file.path}:${lineOf(node)}`;
      if (ts.isNewExpression(node) && builtInErrors.test(node.expression.getText())) {
        faults.push(`${at}: ${node.expression.getText()} says too little; use an error class of the folder.`);
      } else if (ts.isThrowStatement(node)) {
        const thrown = node.expression;
        if (ts.isNewExpression(thrown)) {
          const name = thrown.expression.getText();
          if (!classes.has(name) && !builtInErrors.test(name)) faults.push(`${at}: ${name} is no error class of src.`);
        } else if (
          ts.isLiteralExpression(thrown) ||
          ts.isTemplateExpression(thrown) ||
          ts.isObjectLiteralExpression(thrown)
        ) {
          faults.push(`${at}: a thrown value must be an error; use an error class of the folder.`);
        }
      }
    });
  }
  return faults;
}

/** Classes of the file that extend Error or a class named …Error. */
function errorClasses(file: SourceFile): string[] {
  const names: string[] = [];
  walkTree(parse(file), (node) => {
    if (!ts.isClassDeclaration(node) || node.name === undefined) return;
    const parent = node.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword)?.types[0];
    if (parent !== undefined && /Error$/.test(parent.expression.getText())) names.push(node.name.text);
  });
  return names;
}

const maxLines = 400;

/** One sentence for each file that is longer than a reader likes. */
export function sizeFaults(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
    return lines > maxLines ? [`${path}: ${lines} lines, at most ${maxLines}; split it by what it does.`] : [];
  });
}
