/** The files that a model comes in: one is chosen, those that cannot be used say why. */
import { Radio, Text } from "@mantine/core";
import type { FoundModel, Variant } from "../../../worker/protocol";
import { chooseVariant } from "../../actions/choose-model";
import { bytes } from "../../format";
import { keptOf } from "../../stores/stored";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";

const text = strings.model.choice;

interface Props {
  readonly found: FoundModel;
  readonly chosen: string | null;
  readonly disabled: boolean;
}

export function ModelVariants({ found, chosen, disabled }: Props) {
  const desk = useDesk();
  const cached = useStudio("stored", (state) => state.cached);
  return (
    <Radio.Group label={text.variants} value={chosen} onChange={(id) => void chooseVariant(desk, id)}>
      <div className="options scrolling">
        {found.variants.map((variant) => (
          <Radio
            key={variant.id}
            value={variant.id}
            size="sm"
            disabled={disabled || variant.refusal !== null}
            label={<VariantLabel variant={variant} here={keptOf(cached, found, variant.id)?.whole === true} />}
            description={variant.refusal !== null && `${text.refused} ${variant.refusal}`}
          />
        ))}
      </div>
    </Radio.Group>
  );
}

function VariantLabel({ variant, here }: { readonly variant: Variant; readonly here: boolean }) {
  return (
    <span className="option-label">
      <span className="wrap">{variant.label}</span>
      <Text span size="xs" c="dimmed" className="numbers">
        {variant.bytes === null ? text.noBytes : bytes(variant.bytes)}
        {here && ` · ${strings.model.catalogue.stored.toLowerCase()}`}
      </Text>
    </span>
  );
}
