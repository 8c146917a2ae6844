/** Rows that were tokenized elsewhere. */
import { describe } from "vitest";
import { place, table } from "../support/shape-table";

describe("tokens", () => {
  const tokens = (ids: readonly number[], labels: readonly number[]) => ({ kind: "tokens", ids, labels });
  table(
    [
      ["ids alone", { input_ids: [5, 6] }, tokens([5, 6], [5, 6])],
      ["labels", { input_ids: [5, 6, 7], labels: [-100, -100, 7] }, tokens([5, 6, 7], [-100, -100, 7])],
      [
        "padding on both sides",
        { input_ids: [0, 5, 6, 0], labels: [-100, 5, 6, -100], attention_mask: [0, 1, 1, 0] },
        tokens([5, 6], [5, 6]),
      ],
      ["padding without labels", { input_ids: [5, 6, 0], attention_mask: [true, true, false] }, tokens([5, 6], [5, 6])],
      ["cells", { input_ids: "[5, 6]", labels: "[-100, 6]", attention_mask: "[1, 1]" }, tokens([5, 6], [-100, 6])],
      [
        "TRL's completion mask",
        { input_ids: [5, 6, 7, 8], completion_mask: [0, 0, 1, 1] },
        tokens([5, 6, 7, 8], [-100, -100, 7, 8]),
      ],
      [
        "TRL's masks and labels, where all of them agree",
        {
          input_ids: [5, 6, 7, 8, 9],
          labels: [-100, 6, 7, 8, 9],
          completion_mask: [1, 1, 0, 1, 1],
          assistant_masks: [1, 1, 1, 1, 0],
        },
        tokens([5, 6, 7, 8, 9], [-100, 6, -100, 8, -100]),
      ],
      [
        "a mask beside padding",
        { input_ids: [5, 6, 0], assistant_masks: [false, true, true], attention_mask: [1, 1, 0] },
        tokens([5, 6], [-100, 6]),
      ],
      ["the largest id", { input_ids: [0, 2 ** 31 - 1] }, tokens([0, 2 ** 31 - 1], [0, 2 ** 31 - 1])],
      ["positions of one document", { input_ids: [5, 6], position_ids: [0, 1] }, tokens([5, 6], [5, 6])],
    ],
    [
      ["text", { input_ids: "5 6" }, "field", `${place}, input_ids: it is "5 6"; make it a list of whole numbers.`],
      ["no ids", { input_ids: [] }, "empty", `${place}, input_ids: it is a list of 0; fill it in`],
      [
        "an id of -1",
        { input_ids: [5, -1] },
        "field",
        "input_ids[1]: it is -1; use whole numbers from 0 to 2147483647.",
      ],
      ["half an id", { input_ids: [0.5, 1] }, "field", "input_ids[0]: it is 0.5; use whole"],
      ["an id beyond the limit", { input_ids: [5, 2 ** 31] }, "field", "input_ids[1]: it is 2147483648; use whole"],
      ["an id that is text", { input_ids: ["5"] }, "field", 'input_ids[0]: it is "5"; make it a list'],
      [
        "too few labels",
        { input_ids: [5, 6], labels: [5] },
        "field",
        `${place}, labels: it is a list of 1; make it as long as input_ids, 2.`,
      ],
      [
        "another token's label",
        { input_ids: [5, 6], labels: [5, 7] },
        "field",
        "labels[1]: it is 7; use -100 or the token's own id, 6.",
      ],
      [
        "a mask of 2",
        { input_ids: [5, 6], attention_mask: [1, 2] },
        "field",
        "attention_mask[1]: it is 2; use 1 for the",
      ],
      [
        "a hole",
        { input_ids: [5, 6, 7], attention_mask: [1, 0, 1] },
        "field",
        "attention_mask[1]: it is 0; use 1 for the row's tokens and 0 only for padding before or after them.",
      ],
      [
        "a short mask",
        { input_ids: [5, 6], attention_mask: [1] },
        "field",
        "attention_mask: it is a list of 1; make it as",
      ],
      [
        "a short completion mask",
        { input_ids: [5, 6], completion_mask: [1] },
        "field",
        "completion_mask: it is a list of 1; make it as long as input_ids, 2.",
      ],
      [
        "a completion mask of -1",
        { input_ids: [5, 6], completion_mask: [0, -1] },
        "field",
        "completion_mask[1]: it is -1; use 1 where the token is learned and 0 elsewhere.",
      ],
      [
        "a mask of zeros",
        { input_ids: [5, 6], assistant_masks: [0, 0] },
        "no-answer",
        "assistant_masks: no token after the first is to be learned;",
      ],
      [
        "padding to be learned",
        { input_ids: [5, 6, 0], labels: [5, 6, 0], attention_mask: [1, 1, 0] },
        "field",
        "labels[2]: it is 0 where attention_mask is 0; make the label -100 or the mask 1.",
      ],
      [
        "nothing to learn",
        { input_ids: [5, 6], labels: [-100, -100] },
        "no-answer",
        "labels: no token after the first is",
      ],
      [
        "a first token to learn",
        { input_ids: [5, 6], labels: [5, -100] },
        "no-answer",
        "labels: no token after the first",
      ],
      [
        "a single token",
        { input_ids: [5] },
        "no-answer",
        "input_ids: no token after the first is to be learned; give a",
      ],
      [
        "nothing but padding",
        { input_ids: [5, 6], attention_mask: [0, 0] },
        "no-answer",
        "input_ids: no token after the",
      ],
      [
        "documents that were packed",
        { input_ids: [5, 6, 7], position_ids: [0, 1, 0] },
        "shape",
        "position_ids: the row holds several packed documents; give each text a row of its own: rows are packed again for training.",
      ],
      [
        "packed lengths",
        { input_ids: [5, 6], seq_lengths: [1, 1] },
        "shape",
        "seq_lengths: the row holds several packed",
      ],
    ],
  );
});
