/** The models on this device: open or resume, delete, and what the browser says of keeping them. */
import { Button, Group, Text } from "@mantine/core";
import { Trash2 } from "lucide-react";
import type { CachedModel, CachedModels } from "../../../worker/protocol";
import { chooseStored, resumeStored } from "../../actions/choose-model";
import { keepStored, refreshStored } from "../../actions/stored-models";
import { bytes, date } from "../../format";
import { keptVariant } from "../../stores/stored";
import { strings } from "../../strings";
import { useDesk, useMayChoose, useStudio } from "../../studio";
import { ErrorNote } from "../error-note";
import { DeleteModels } from "./delete";

const text = strings.model.stored;

export function ModelStored() {
  const desk = useDesk();
  const { cached, error, deleting } = useStudio("stored", (state) => state);
  const opening = useStudio("picker", (state) => state.opening.state === "busy");
  const models = cached?.models ?? [];
  const again = (): void => {
    desk.stores.stored.setState({ error: null });
    void refreshStored(desk);
  };
  return (
    <>
      {error !== null && <ErrorNote error={error} action={{ label: strings.errors.retry, run: again }} />}
      {cached !== null && models.length === 0 && (
        <Text size="sm" c="dimmed">
          {text.empty}
        </Text>
      )}
      {models.length > 0 && (
        <ul className="plain-list models">
          {models.map((model) => (
            <StoredModel key={model.key} model={model} />
          ))}
        </ul>
      )}
      {cached !== null && models.length > 0 && <Room cached={cached} disabled={deleting || opening} />}
      <DeleteModels />
    </>
  );
}

function StoredModel({ model }: { readonly model: CachedModel }) {
  const desk = useDesk();
  const deleting = useStudio("stored", (state) => state.deleting);
  const opening = useStudio("picker", (state) => state.opening.state === "busy");
  const { id, kind, commit, lastUsed, variants, bytes: size } = model;
  const damaged = kind === "damaged" || model.found === null;
  const facts = [
    ...(damaged ? [] : [kind === "hub" ? text.commit(commit) : text.version(commit)]),
    bytes(size),
    text.used(date(new Date(lastUsed).toISOString())),
  ];
  return (
    <li className="model-row">
      <div className="model-words">
        <Text size="sm" fw={600} component="h3" className="wrap">
          {id}
        </Text>
        <Text size="xs" c="dimmed" className="numbers wrap">
          {facts.join(" · ")}
        </Text>
        {damaged && <Text size="xs">{text.damaged}</Text>}
      </div>
      <Button
        variant="default"
        size="xs"
        disabled={deleting || opening}
        aria-label={text.removeLabel(id)}
        leftSection={<Trash2 size={14} aria-hidden />}
        onClick={() => desk.stores.stored.setState({ confirming: model.key })}
        data-delete
      >
        {text.remove}
      </Button>
      {!damaged && (
        <ul className="plain-list model-below">
          {variants.map((variant) => (
            <StoredVariant key={variant.id} model={model} variant={variant} />
          ))}
        </ul>
      )}
    </li>
  );
}

interface VariantProps {
  readonly model: CachedModel;
  readonly variant: CachedModel["variants"][number];
}

function StoredVariant({ model, variant: { id, label, finished } }: VariantProps) {
  const desk = useDesk();
  const cached = useStudio("stored", (state) => state.cached);
  const may = useMayChoose();
  const have = cached === null ? 0 : (keptVariant(model, id, cached)?.bytes ?? 0);
  const total = model.found?.variants.find((variant) => variant.id === id)?.bytes ?? null;
  return (
    <li className="stored-variant">
      <div className="grow">
        <Text size="xs" className="wrap">
          {label}
        </Text>
        <Text size="xs" c="dimmed" className="numbers">
          {finished ? bytes(have) : text.partly(have, total)}
        </Text>
      </div>
      <Button
        variant="default"
        size="xs"
        disabled={!may}
        aria-label={finished ? text.chooseLabel(model.id, label) : text.resumeLabel(model.id, label)}
        onClick={() => void (finished ? chooseStored(desk, model, id) : resumeStored(desk, model, id))}
      >
        {finished ? text.choose : text.resume}
      </Button>
    </li>
  );
}

interface RoomProps {
  readonly cached: CachedModels;
  readonly disabled: boolean;
}

/** What all of them take together, whether the browser keeps them, and how to be rid of all. */
function Room({ cached: { models, bytes: size, room }, disabled }: RoomProps) {
  const desk = useDesk();
  const refused = useStudio("stored", (state) => state.refusedToKeep);
  const { usage, quota, persisted } = room;
  const keeping = persisted === null ? text.mayClearUnknown : persisted ? text.persisted : text.mayClear;
  return (
    <div className="room">
      <Text size="xs" className="numbers">
        {text.total(models.length, size)} {usage !== null && quota !== null && text.room(usage, quota)} {keeping}
      </Text>
      <Group gap="sm">
        {persisted !== true && (
          <Button variant="default" size="xs" onClick={() => void keepStored(desk)}>
            {text.keep}
          </Button>
        )}
        {models.length > 1 && (
          <Button
            variant="default"
            size="xs"
            disabled={disabled}
            leftSection={<Trash2 size={14} aria-hidden />}
            onClick={() => desk.stores.stored.setState({ confirming: "all" })}
          >
            {text.removeAll}
          </Button>
        )}
      </Group>
      <Text size="xs" c="dimmed" role="status">
        {refused && persisted !== true && text.notKept}
      </Text>
    </div>
  );
}
