/** Self-Instruct's {"instruction", "instances": [{"input", "output"}]}: Alpaca's fields one level down. */
import { DataError, excerpt } from "../errors";
import type { Conversation, RowOrigin } from "../types";
import { shape as instruction } from "./instruction";
import { fromCell, isRow } from "./lib/fields";
import { renamed } from "./lib/renamed";
import type { Row, RowShape } from "./types";

export const shape: RowShape = {
  id: "self-instruct",
  label: "Instruction and instances (Self-Instruct)",
  rank: 50,
  fields: [
    { name: "instruction", label: "Instruction", required: true, aliases: [] },
    { name: "instances", label: "Instances", required: true, aliases: [] },
  ],
  convert,
};

function convert(row: Row, origin: RowOrigin): Conversation {
  const list = fromCell(row["instances"], "instances", origin);
  const [instance]: readonly unknown[] = Array.isArray(list) ? list : [];
  if (!Array.isArray(list) || list.length !== 1 || !isRow(instance)) {
    throw new DataError({
      ...origin,
      kind: Array.isArray(list) && list.length === 0 ? "no-answer" : "field",
      field: "instances",
      problem: `it is ${excerpt(list)}, and a row gives one example`,
      remedy: 'make it a list of one {"input", "output"}, with a row for each instance',
    });
  }
  const names = new Map(["input", "output"].map((name) => [name, `instances[0].${name}`]));
  return renamed(names, () => instruction.convert({ ...instance, instruction: row["instruction"] }, origin));
}
