/** Which nodes of a YAML document are rows, and what each row is. */
import { isAlias, isMap, isScalar, isSeq, type YAMLMap, type YAMLSeq } from "yaml";
import { excerpt } from "../../errors";
import { type Converter, RowFault } from "./convert";

export interface YamlRow {
  /** The node whose place is the row's. */
  readonly node: unknown;
  /** Throws `RowFault`, `BudgetFault`. */
  value(): unknown;
}

/** A list under one of these names holds the rows of the document. */
const wrappers = ["data", "rows", "examples", "train"];

/**
 * - `conversations:` with a list of lists, as the ChatterBot corpus has it: every inner list is a conversation. Its other
 *   keys (`categories`) are no part of a row.
 * - A list: every entry is a row; an entry that is itself a list is a conversation. A list of messages is one conversation.
 * - `data:`, `rows:`, `examples:` or `train:` with a list and nothing else: that list.
 * - Any other mapping is one row.
 *
 * A conversation is a list of messages, or of texts that user and assistant say in turns. Throws `RowFault` for a document
 * that is none of these.
 */
export function rowsOf(root: unknown, converter: Converter): readonly YamlRow[] {
  if (isSeq(root)) return rowsOfList(root, converter);
  if (!isMap(root)) {
    throw new RowFault(
      "it holds a text and no list or mapping",
      "write a list of conversations or rows, or choose plain text",
    );
  }
  const conversations = converter.resolve(root.get("conversations", true));
  if (isSeq(conversations) && conversations.items.some((item) => isSeq(converter.resolve(item)))) {
    return rowsOfList(conversations, converter);
  }
  const [only] = root.items;
  if (root.items.length === 1 && only !== undefined && wrappers.includes(converter.text(only.key))) {
    const list = converter.resolve(only.value);
    if (isSeq(list)) return rowsOfList(list, converter);
  }
  return [{ node: root, value: () => converter.value(root) }];
}

function rowsOfList(list: YAMLSeq, converter: Converter): readonly YamlRow[] {
  const items = list.items.map((item) => converter.resolve(item));
  if (items.length > 0 && items.every(isMessage)) return [{ node: list, value: () => conversation(list, converter) }];
  const texts = items.every(isScalar);
  return list.items.map((item, index) => {
    const resolved = items[index];
    const value = () => {
      if (isSeq(resolved)) return conversation(resolved, converter, isAlias(item));
      if (isScalar(resolved) && !texts) {
        const problem = `a text stands where a list of turns or a mapping is expected: ${excerpt(converter.text(resolved))}`;
        throw new RowFault(problem, "indent it as the entries around it are");
      }
      return converter.value(item);
    };
    return { node: item, value };
  });
}

function conversation(turns: YAMLSeq, converter: Converter, unfolding = false): unknown {
  const resolved = turns.items.map((item) => converter.resolve(item));
  if (resolved.length > 0 && resolved.every(isMap)) {
    const key = resolved.some((turn) => turn.has("from")) ? "conversations" : "messages";
    return { [key]: converter.value(turns, 0, unfolding) };
  }
  const messages = turns.items.map((item, index) => {
    try {
      return {
        role: index % 2 === 0 ? "user" : "assistant",
        content: converter.text(item, unfolding || isAlias(item)),
      };
    } catch (cause) {
      if (cause instanceof RowFault) throw new RowFault(`turn ${index + 1}: ${cause.message}`, cause.remedy);
      throw cause;
    }
  });
  return { messages };
}

function isMessage(node: unknown): node is YAMLMap {
  return isMap(node) && ((node.has("role") && node.has("content")) || (node.has("from") && node.has("value")));
}
