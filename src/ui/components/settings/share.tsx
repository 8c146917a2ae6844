/** Settings out and in: a link, a file, and what an opened one would change before it changes anything. */
import { Button, FileButton, Group, Text, TextInput } from "@mantine/core";
import { FolderOpen, Link2, Save } from "lucide-react";
import { useEffect, useState } from "react";
import {
  applyOffer,
  readSettings,
  readSettingsFile,
  saveText,
  settingsFile,
  settingsLink,
  takeLink,
} from "../../actions/settings";
import { goTo } from "../../go-to";
import { readerOf } from "../../stores/model";
import { fromLink, type Offer } from "../../stores/shared-settings";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";
import { Dialog } from "../dialog";

const text = strings.settings.shared;

export function ShareSettings() {
  const desk = useDesk();
  const valid = useStudio("recipe", (state) => state.recipe !== null);
  const [said, setSaid] = useState<{ readonly text: string; readonly link: string | null } | null>(null);
  const [offer, setOffer] = useState<Offer | string | null>(null);
  const copy = async (): Promise<void> => {
    const link = settingsLink(desk);
    if (link === null) return;
    try {
      await navigator.clipboard.writeText(link);
      setSaid({ text: text.copied, link: null });
    } catch {
      setSaid({ text: text.notCopied, link });
    }
  };
  const save = (): void => {
    const file = settingsFile(desk);
    if (file !== null) saveText(file.name, file.json);
  };
  return (
    <div className="share">
      <Group gap="xs">
        <Button
          size="compact-sm"
          variant="default"
          disabled={!valid}
          leftSection={<Link2 size={14} aria-hidden />}
          onClick={() => void copy()}
        >
          {text.copy}
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          disabled={!valid}
          leftSection={<Save size={14} aria-hidden />}
          onClick={save}
        >
          {text.save}
        </Button>
        <FileButton
          accept=".json,application/json"
          inputProps={{ "aria-label": text.pick }}
          onChange={(file) => {
            if (file !== null) void readSettingsFile(desk, file).then(setOffer);
          }}
        >
          {(props) => (
            <Button size="compact-sm" variant="default" leftSection={<FolderOpen size={14} aria-hidden />} {...props}>
              {text.open}
            </Button>
          )}
        </FileButton>
        <Text size="xs" c="dimmed" role="status">
          {said?.text ?? text.privacy}
        </Text>
      </Group>
      {said !== null && said.link !== null && (
        <TextInput
          mt="xs"
          label={text.link}
          value={said.link}
          readOnly
          onFocus={(event) => event.currentTarget.select()}
        />
      )}
      <OfferDialog offer={offer} onClose={() => setOffer(null)} />
    </div>
  );
}

/** Watches the address for shared settings; asks once what they are compared for is known of the model. */
export function SettingsFromLink() {
  const desk = useDesk();
  const ready = useStudio("model", (state) => readerOf(state) !== null);
  const [hash, setHash] = useState<string | null>(null);
  const [offer, setOffer] = useState<Offer | string | null>(null);
  useEffect(() => {
    const look = (): void => {
      const link = takeLink(desk);
      if (link !== null) setHash(link);
    };
    look();
    window.addEventListener("hashchange", look);
    return () => window.removeEventListener("hashchange", look);
  }, [desk]);
  useEffect(() => {
    if (hash === null || !ready) return;
    setOffer(readSettings(desk, fromLink(hash)));
    setHash(null);
  }, [hash, ready, desk]);
  return <OfferDialog offer={offer} onClose={() => setOffer(null)} onApplied={() => goTo("train")} />;
}

interface DialogProps {
  /** A string: why there are no settings in what was opened. */
  readonly offer: Offer | string | null;
  readonly onClose: () => void;
  readonly onApplied?: () => void;
}

function OfferDialog({ offer, onClose, onApplied }: DialogProps) {
  const desk = useDesk();
  const usable = typeof offer === "object" ? offer : null;
  const changes = usable?.changes ?? [];
  return (
    <Dialog opened={offer !== null} onClose={onClose} title={text.title}>
      {typeof offer === "string" && <Text size="sm">{offer}</Text>}
      {usable !== null && (
        <>
          <Text size="sm">{changes.length === 0 ? text.same : text.changes(changes.length)}</Text>
          {changes.length > 0 && <Changes changes={changes} />}
          {[...usable.faults, ...usable.notes].map((sentence) => (
            <Text key={sentence} size="sm" mt="xs" className="warning wrap">
              {sentence}
            </Text>
          ))}
        </>
      )}
      <Group justify="flex-end" gap="xs" mt="md">
        <Button variant="default" onClick={onClose}>
          {changes.length === 0 ? text.close : text.leave}
        </Button>
        {usable !== null && changes.length > 0 && (
          <Button
            data-autofocus
            onClick={() => {
              void applyOffer(desk, usable);
              onClose();
              onApplied?.();
            }}
          >
            {text.apply}
          </Button>
        )}
      </Group>
    </Dialog>
  );
}

function Changes({ changes }: Pick<Offer, "changes">) {
  return (
    <table className="rows changes numbers">
      <thead>
        <tr>
          <th scope="col">{text.columns.setting}</th>
          <th scope="col">{text.columns.before}</th>
          <th scope="col">{text.columns.after}</th>
        </tr>
      </thead>
      <tbody>
        {changes.map(({ name, before, after }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td className="wrap">{before}</td>
            <td className="wrap">{after}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
