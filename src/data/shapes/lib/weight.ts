/** Whether a message is learned: OpenAI's `weight` (0 or 1), Axolotl's `train` (false or true). */
import { DataError, excerpt } from "../../errors";
import type { Role } from "../../tokenizer";
import type { RowOrigin } from "../../types";
import type { Row } from "../types";
import { present } from "./fields";

/** undefined where the message says nothing. */
export function readWeight(message: Row, role: Role, field: string, origin: RowOrigin): 0 | 1 | undefined {
  const { train_detail } = message;
  if (Array.isArray(train_detail) && train_detail.length > 0) {
    throw new DataError({
      ...origin,
      field: `${field}.train_detail`,
      problem: "parts of a message cannot be left out of the loss by themselves",
      remedy: 'take it out and give the whole message a "train"',
    });
  }
  const weight = readFlag(message, "weight", role, field, origin);
  const train = readFlag(message, "train", role, field, origin);
  if (weight !== undefined && train !== undefined && weight !== train) {
    const problem = `it is ${weight} and "train" is ${excerpt(message["train"])}`;
    throw new DataError({ ...origin, field: `${field}.weight`, problem, remedy: "leave one of them out" });
  }
  return weight ?? train;
}

function readFlag(message: Row, key: "weight" | "train", role: Role, field: string, origin: RowOrigin) {
  const value = message[key];
  if (!present(value)) return undefined;
  const weight = key === "train" && typeof value === "boolean" ? Number(value) : value;
  if (weight === 0 || (weight === 1 && role === "assistant")) return weight;
  throw new DataError({
    ...origin,
    field: `${field}.${key}`,
    problem: `it is ${excerpt(value)}${weight === 1 ? ` on a ${role} message` : ""}`,
    remedy: `use ${key === "weight" ? "0 or 1, and 1" : "true or false, and true"} on assistant messages only`,
  });
}
