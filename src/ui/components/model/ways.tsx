/** The ways to another model, in words, one unfolded at a time. */
import { Text, UnstyledButton } from "@mantine/core";
import { ChevronDown, FileBox, Globe, HardDrive, ListChecks } from "lucide-react";
import { type ReactNode, useEffect, useId } from "react";
import { showWay } from "../../actions/choose-model";
import { refreshStored } from "../../actions/stored-models";
import { type Way, ways } from "../../stores/picker";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";
import { ModelCatalogue } from "./catalogue";
import { ModelHub } from "./hub";
import { ModelOwn } from "./own";
import { ModelStored } from "./stored";

const text = strings.model;

export function ModelWays() {
  const desk = useDesk();
  const cached = useStudio("stored", (state) => state.cached);
  const usable = useStudio("device", ({ hasWebGpu, device }) => hasWebGpu && device.state !== "failed");
  useEffect(() => void refreshStored(desk), [desk]);
  const stored = text.stored.hint(cached?.models.length ?? 0, cached?.bytes ?? 0);
  const needsGpu = usable ? null : (
    <Text size="sm" c="dimmed">
      {text.ways.noGpu}
    </Text>
  );
  const contents: Readonly<Record<Way, Parameters<typeof OneWay>[0]>> = {
    catalogue: {
      way: "catalogue",
      ...text.catalogue,
      icon: <ListChecks size={18} />,
      children: needsGpu ?? <ModelCatalogue />,
    },
    hub: { way: "hub", ...text.hub, icon: <Globe size={18} />, children: needsGpu ?? <ModelHub /> },
    own: { way: "own", ...text.own, icon: <FileBox size={18} />, children: needsGpu ?? <ModelOwn /> },
    stored: {
      way: "stored",
      title: text.stored.title,
      hint: stored,
      icon: <HardDrive size={18} />,
      children: <ModelStored />,
    },
  };
  return (
    <div className="ways">
      {ways.map((way) => (
        <OneWay key={way} {...contents[way]} />
      ))}
    </div>
  );
}

interface Props {
  readonly way: Way;
  readonly title: string;
  readonly hint: string;
  readonly icon: ReactNode;
  readonly children: ReactNode;
}

function OneWay({ way, title, hint, icon, children }: Props) {
  const desk = useDesk();
  const open = useStudio("picker", (state) => state.way === way);
  const body = useId();
  return (
    <div className="way">
      <UnstyledButton
        className="way-button"
        aria-expanded={open}
        aria-controls={open ? body : undefined}
        onClick={() => showWay(desk, open ? null : way)}
      >
        <span className="way-icon" aria-hidden>
          {icon}
        </span>
        <span className="way-words">
          <Text span size="sm" fw={600}>
            {title}
          </Text>
          <Text span size="xs" c="dimmed">
            {hint}
          </Text>
        </span>
        <ChevronDown size={18} aria-hidden className="way-sign" />
      </UnstyledButton>
      {open && (
        <div className="way-body" id={body}>
          {children}
        </div>
      )}
    </div>
  );
}
