/** Whether a model fits, in words; the sign beside them is decoration. */
import { Text } from "@mantine/core";
import { Ban, CircleCheck, CircleQuestionMark, CircleX, TriangleAlert } from "lucide-react";
import type { Fit } from "../../../worker/protocol";
import { strings } from "../../strings";

const signs = {
  fits: CircleCheck,
  tight: TriangleAlert,
  "too-large": CircleX,
  unsupported: Ban,
  unknown: CircleQuestionMark,
} as const;

export function FitNote({ fit: { verdict, sentence } }: { readonly fit: Fit }) {
  const Sign = signs[verdict];
  return (
    <span className={`fit fit-${verdict}`}>
      <Sign size={16} aria-hidden />
      <Text span size="xs" className="wrap">
        <strong>{strings.model.verdicts[verdict]}.</strong> {sentence}
      </Text>
    </span>
  );
}
