/** Nodes of a YAML document as JSON values, aliases unfolded within a budget. */
import { type Alias, type Document, isAlias, isMap, isScalar, isSeq, type Node, type Scalar, visit } from "yaml";

/** What is wrong with a row, before file and line are put to it. */
export class RowFault extends Error {
  override readonly name = "RowFault";
  readonly remedy: string;

  constructor(problem: string, remedy: string) {
    super(problem);
    this.remedy = remedy;
  }
}

/** The document asks for more than it may; no row of it can be used. */
export class BudgetFault extends Error {
  override readonly name = "BudgetFault";
}

const deepest = 100;
/** Characters that aliases may add to the file's own; a list, mapping or scalar counts as 256. */
const mostUnfolded = 256 * 1024 * 1024;
const nodeCost = 256;

export class Converter {
  /** Alias → the node it stands for: the last one before it with its anchor. */
  readonly #targets = new Map<Alias, Node>();
  #unfolded = 0;

  constructor(doc: Document) {
    const anchors = new Map<string, Node>();
    visit(doc, {
      Alias: (_key, alias) => {
        const target = anchors.get(alias.source);
        if (target !== undefined) this.#targets.set(alias, target);
      },
      Value: (_key, node) => {
        if (node.anchor !== undefined) anchors.set(node.anchor, node);
      },
    });
  }

  /** The node, or what it stands for. */
  resolve(node: unknown): unknown {
    if (!isAlias(node)) return node;
    const target = this.#targets.get(node);
    if (target === undefined) {
      throw new RowFault(
        `the alias *${node.source} has no anchor before it`,
        `write &${node.source} where it is defined`,
      );
    }
    return target;
  }

  /** Throws `RowFault`, `BudgetFault`. */
  value(node: unknown, depth = 0, unfolding = false): unknown {
    if (depth > deepest) throw new RowFault(`it is nested deeper than ${deepest} levels`, "write it with fewer levels");
    if (isAlias(node)) return this.value(this.resolve(node), depth + 1, true);
    if (unfolding) this.#spend(nodeCost);
    if (isScalar(node)) return this.#scalar(node, unfolding);
    if (isSeq(node)) return node.items.map((item) => this.value(item, depth + 1, unfolding));
    if (!isMap(node)) return null;
    const seen = new Set<string>();
    const entries = node.items.map(({ key, value }): [string, unknown] => {
      const name = this.text(key);
      if (seen.has(name)) throw new RowFault(`the key "${name}" is there twice`, "keep one of them");
      seen.add(name);
      return [name, this.value(value, depth + 1, unfolding)];
    });
    return Object.fromEntries(entries);
  }

  /** A scalar as it is written: 1963 and yes are words here. Throws `RowFault` for lists and mappings. */
  text(node: unknown, unfolding = isAlias(node)): string {
    const scalar = this.resolve(node);
    if (scalar === null || scalar === undefined) return "";
    if (!isScalar(scalar)) {
      const what = isMap(scalar) ? "a mapping (text with a colon is one)" : "a list";
      throw new RowFault(`${what} stands where text is expected`, "put quotation marks around the text");
    }
    const written = typeof scalar.value === "string" ? scalar.value : (scalar.source ?? String(scalar.value ?? ""));
    if (unfolding) this.#spend(written.length);
    return written;
  }

  #scalar(node: Scalar, unfolding: boolean): unknown {
    const { value } = node;
    if (typeof value === "string") {
      if (unfolding) this.#spend(value.length);
      return value;
    }
    if (typeof value === "boolean") return value;
    if (typeof value !== "number" || !Number.isFinite(value)) return null;
    // The digits are kept where the number cannot hold them.
    return Number.isInteger(value) && !Number.isSafeInteger(value) ? (node.source ?? String(value)) : value;
  }

  #spend(amount: number): void {
    this.#unfolded += amount;
    if (this.#unfolded > mostUnfolded) throw new BudgetFault("its aliases unfold to more than the file should hold");
  }
}
