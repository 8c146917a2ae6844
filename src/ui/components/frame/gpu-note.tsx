/** What stands in the way of the GPU, and what to do about it. Nothing where nothing does. */
import { Button, CopyButton, Group, Text } from "@mantine/core";
import { Check, Copy, Turtle, Unplug } from "lucide-react";
import { useMemo } from "react";
import { readBrowser } from "../../browser-facts";
import type { DeviceState } from "../../stores/device";
import { type GpuCause, gpuCause } from "../../stores/gpu-cause";
import { strings } from "../../strings";
import { useStudio } from "../../studio";
import { ErrorNote } from "../error-note";

const text = strings.device;

export function GpuNote() {
  const state = useStudio("device", (all) => all);
  const { device } = state;
  const failed = !state.secureContext || !state.hasWebGpu || state.lost !== null || device.state === "failed";
  if (failed) return <Failed state={state} />;
  if (device.state === "ready" && device.value.isFallback) {
    return (
      <div className="verdict warn">
        <Turtle size={20} aria-hidden />
        <Text size="sm">
          <strong>{text.slowTitle}.</strong> <span className="plain">{text.slow(device.value.name)}</span>
        </Text>
      </div>
    );
  }
  return null;
}

function Failed({ state }: { readonly state: DeviceState }) {
  const { device } = state;
  const given = state.browser;
  const browser = useMemo(() => given ?? readBrowser(), [given]);
  const error = device.state === "failed" ? device.error : null;
  const cause = gpuCause({ ...state, error, browser });
  if (cause !== null) return <Blocked cause={cause} details={{ cause, error, browser }} />;
  if (error === null) return null;
  return <ErrorNote error={error} action={{ label: text.reload, run: () => location.reload() }} />;
}

function Blocked({ cause, details }: { readonly cause: GpuCause; readonly details: object }) {
  const { title, means, steps, address, reload, said } = text.advice(cause);
  // Data and Library work without a GPU: there the way to one is folded, so that it is not in theirs.
  const folded = useStudio("route", ({ step }) => step === "data" || step === "library");
  const copied = JSON.stringify({ ...details, userAgent: navigator.userAgent }, null, 2);
  return (
    <div className="verdict bad gpu-note">
      <Unplug size={20} aria-hidden />
      <div>
        <div role="alert">
          <Text size="sm" fw={600}>
            {title}
          </Text>
          <Text size="sm" className="plain wrap">
            {means}
          </Text>
        </div>
        <details open={!folded} className="plain">
          <summary>{text.what}</summary>
          <Steps steps={steps} />
          {said !== null && (
            <Text size="xs" mt={4} className="wrap">
              {text.said(said)}
            </Text>
          )}
          <Group gap="xs" mt="sm">
            {reload && (
              <Button size="xs" color="red" onClick={() => location.reload()}>
                {text.reload}
              </Button>
            )}
            {cause.kind === "insecure" && location.protocol === "http:" && (
              <Button component="a" size="xs" color="red" href={location.href.replace(/^http:/, "https:")}>
                {text.https}
              </Button>
            )}
            {address !== null && <CopyIt value={address} label={text.copyAddress(address)} />}
            <CopyIt value={copied} label={strings.errors.copy} />
          </Group>
        </details>
        <Text size="sm" mt={6} className="plain">
          {text.stillWorks}
        </Text>
      </div>
    </div>
  );
}

function Steps({ steps }: { readonly steps: readonly string[] }) {
  if (steps.length === 1) {
    return (
      <Text size="sm" className="wrap">
        {steps[0]}
      </Text>
    );
  }
  return (
    <ol>
      {steps.map((step) => (
        <li key={step} className="wrap">
          {step}
        </li>
      ))}
    </ol>
  );
}

function CopyIt({ value, label }: { readonly value: string; readonly label: string }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Button
          size="xs"
          variant="default"
          onClick={copy}
          leftSection={copied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
        >
          {copied ? strings.errors.copied : label}
        </Button>
      )}
    </CopyButton>
  );
}
