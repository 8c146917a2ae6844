/** The page's head: name, GPU, colour scheme. */
import { Badge, Group, SegmentedControl, Text, Title, useMantineColorScheme, VisuallyHidden } from "@mantine/core";
import { Cpu, Monitor, Moon, Sun } from "lucide-react";
import { hashOf } from "../../stores/route";
import { strings } from "../../strings";
import { useStudio } from "../../studio";
import { KeyButtons } from "./key-buttons";

const text = strings.app;
const schemes = [
  { value: "light", Icon: Sun, label: text.theme.light },
  { value: "dark", Icon: Moon, label: text.theme.dark },
  { value: "auto", Icon: Monitor, label: text.theme.auto },
] as const;

export function Header() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <header className="header">
      <div className="header-inner">
        <Title order={1} size="h3" className="brand">
          <a href={hashOf("start")} className="brand-link">
            <Mark />
            {text.name}
          </a>
        </Title>
        <Text size="sm" c="dimmed" className="tagline">
          {text.tagline}
        </Text>
        <Group gap="sm" wrap="nowrap" className="header-end">
          <GpuBadge />
          <KeyButtons />
          <SegmentedControl
            size="xs"
            value={colorScheme}
            onChange={setColorScheme}
            aria-label={text.theme.label}
            data={schemes.map(({ value, Icon, label }) => ({
              value,
              label: (
                <span title={label}>
                  <Icon size={16} aria-hidden className="block" />
                  <VisuallyHidden>{label}</VisuallyHidden>
                </span>
              ),
            }))}
          />
        </Group>
      </div>
    </header>
  );
}

function GpuBadge() {
  const device = useStudio("device", (state) => state.device);
  const label =
    device.state === "ready"
      ? strings.device.gpu(device.value.name)
      : device.state === "busy"
        ? strings.device.probing
        : strings.device.none;
  return (
    <Badge variant="default" size="lg" leftSection={<Cpu size={14} aria-hidden />} className="gpu" title={label}>
      {label}
    </Badge>
  );
}

/** Three sliders, as on the page's icon. */
function Mark() {
  return (
    <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden className="mark">
      <rect width="32" height="32" rx="7" />
      <path d="M9 8v16M16 8v16M23 8v16" strokeWidth="3" strokeLinecap="round" />
      <circle cx="9" cy="19" r="4" />
      <circle cx="16" cy="12" r="4" />
      <circle cx="23" cy="16" r="4" />
    </svg>
  );
}
