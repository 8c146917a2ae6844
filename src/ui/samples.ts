/** The datasets that come with the page, each with its held-out rows. The files lie in public/datasets/. */

export interface Sample {
  readonly id: string;
  readonly file: string;
  readonly heldOut: string;
  readonly title: string;
  readonly description: string;
}

export const firstSample: Sample = {
  id: "pirate",
  file: "pirate.jsonl",
  heldOut: "pirate.eval.jsonl",
  title: "Pirate talk",
  description: "Questions with a captain's answers. Teaches a manner of speaking.",
};

export const samples: readonly Sample[] = [
  firstSample,
  {
    id: "feelings",
    file: "feelings.csv",
    heldOut: "feelings.eval.csv",
    title: "Feelings",
    description: "A table of sentences and labels. Teaches sorting into classes.",
  },
  {
    id: "orders",
    file: "orders.jsonl",
    heldOut: "orders.eval.jsonl",
    title: "Orders",
    description: "Orders in words, answered in JSON. Teaches an exact form.",
  },
];
