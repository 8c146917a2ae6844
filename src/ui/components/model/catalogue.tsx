/** Models that train well here, each with what it needs; what cannot be chosen is there too, with the reason. */
import { Badge, Button, Loader, Text } from "@mantine/core";
import { HardDrive } from "lucide-react";
import type { CatalogueModel } from "../../../worker/protocol";
import { chooseEntry, judgeCatalogue, stopLookingUp } from "../../actions/choose-model";
import { strings } from "../../strings";
import { useDesk, useMayChoose, useStudio } from "../../studio";
import { ErrorNote } from "../error-note";
import { MemoryBudget } from "./budget";
import { FitNote } from "./fit-note";
import { LookUpError } from "./hub";

const text = strings.model.catalogue;

export function ModelCatalogue() {
  const desk = useDesk();
  const entries = useStudio("picker", (state) => state.entries);
  const catalogue = useStudio("picker", (state) => state.catalogue);
  return (
    <>
      <MemoryBudget />
      {catalogue.state === "failed" && (
        <ErrorNote
          error={catalogue.error}
          action={{ label: strings.errors.retry, run: () => void judgeCatalogue(desk) }}
        />
      )}
      {entries.length === 0 && catalogue.state === "busy" && (
        <Text size="sm" c="dimmed" role="status">
          {text.loading}
        </Text>
      )}
      <ul className="plain-list models" aria-busy={catalogue.state === "busy"}>
        {entries.map((entry) => (
          <Entry key={entry.id} entry={entry} />
        ))}
      </ul>
    </>
  );
}

function Entry({ entry }: { readonly entry: CatalogueModel }) {
  const desk = useDesk();
  const { name, description, licence, parameters, variant, stored, gate, fit, from } = entry;
  const asking = useStudio("picker", ({ lookUp }) => lookUp.state === "busy" && lookUp.address === from);
  const failed = useStudio("picker", ({ lookUp }) => lookUp.state === "failed" && lookUp.address === from);
  const may = useMayChoose();
  const fits = fit.verdict !== "too-large" && fit.verdict !== "unsupported";
  return (
    <li className={fits ? "model-row" : "model-row out"}>
      <div className="model-words">
        <Text size="sm" fw={600} component="h3" className="wrap">
          {name}
          {stored && (
            <Badge size="sm" variant="default" tt="none" ml={8} leftSection={<HardDrive size={12} aria-hidden />}>
              {text.stored}
            </Badge>
          )}
        </Text>
        <Text size="xs" className="numbers">
          {text.facts(parameters, licence, variant.bytes)}
        </Text>
      </div>
      {asking ? (
        <Button
          variant="default"
          size="xs"
          leftSection={<Loader size={12} color="currentColor" aria-hidden />}
          onClick={() => stopLookingUp(desk)}
        >
          {strings.model.hub.cancel}
        </Button>
      ) : (
        <Button
          variant="default"
          size="xs"
          disabled={!fits || !may}
          aria-label={text.chooseLabel(name)}
          onClick={() => void chooseEntry(desk, entry)}
        >
          {text.choose}
        </Button>
      )}
      <div className="model-words model-below">
        <Text size="xs" c="dimmed">
          {description}
        </Text>
        <FitNote fit={fit} />
        {!fits && fit.verdict === "too-large" && <Text size="xs">{text.blocked}</Text>}
        {gate !== null && (
          <Text size="xs" c="dimmed" className="wrap">
            {gate}
          </Text>
        )}
      </div>
      {failed && (
        <div className="model-below">
          <LookUpError way="catalogue" retry={() => void chooseEntry(desk, entry)} />
        </div>
      )}
    </li>
  );
}
