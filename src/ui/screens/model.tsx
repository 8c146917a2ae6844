/** The base model: what is open, how to open another, and the check against ONNX Runtime. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { Dropzone } from "@mantine/dropzone";
import { BadgeCheck, FolderOpen, ShieldQuestion, TriangleAlert } from "lucide-react";
import type { ModelInfo } from "../../worker/protocol";
import { openEmbeddedModel, openFolder, selfCheck } from "../actions/model";
import { ErrorNote } from "../components/error-note";
import { Facts } from "../components/facts";
import { ProgressLine } from "../components/progress-line";
import { Section } from "../components/section";
import { bytes, count, percent, short } from "../format";
import { strings } from "../strings";
import { useDesk, useGpuUser, useStudio } from "../studio";

const text = strings.model;

export function ModelScreen() {
  const desk = useDesk();
  const { name, embedded, model } = useStudio("model", (state) => state);
  const taken = useGpuUser() !== null;
  const usable = useStudio("device", ({ hasWebGpu, device }) => hasWebGpu && device.state !== "failed");
  return (
    <Section id="model" title={text.title} aside={<Text className="section-name wrap">{name}</Text>}>
      <Stack gap="sm">
        {model.state === "busy" && (
          <ProgressLine label={phaseLabel(model.progress?.phase, name)} progress={model.progress} />
        )}
        {model.state === "failed" && (
          <ErrorNote
            error={model.error}
            action={{ label: embedded ? strings.errors.retry : text.embedded, run: () => void openEmbeddedModel(desk) }}
          />
        )}
        {model.state === "ready" && <ModelFacts info={model.value} />}
        {model.state === "ready" && <SelfCheck canCheck={model.value.canSelfCheck} />}
        <Dropzone
          onDrop={(files) => void openFolder(desk, files)}
          multiple
          disabled={taken || !usable}
          inputProps={{ "aria-label": text.own, ...{ webkitdirectory: "" } }}
          aria-label={text.own}
          className="drop drop-small"
        >
          <Group gap="sm" wrap="nowrap">
            <FolderOpen size={20} aria-hidden className="drop-icon" />
            <div>
              <Text size="sm" fw={600}>
                {text.own}
              </Text>
              <Text size="xs" c="dimmed">
                {text.ownHint}
              </Text>
            </div>
          </Group>
        </Dropzone>
        {!embedded && model.state !== "failed" && (
          <Button
            variant="subtle"
            size="compact-sm"
            disabled={taken}
            onClick={() => void openEmbeddedModel(desk)}
            className="start"
          >
            {text.embedded}
          </Button>
        )}
      </Stack>
    </Section>
  );
}

const phaseLabel = (phase: string | undefined, name: string): string =>
  phase === undefined ? text.opening(name) : `${phase.charAt(0).toUpperCase()}${phase.slice(1)}…`;

function ModelFacts({ info }: { readonly info: ModelInfo }) {
  return (
    <Facts
      columns="wide"
      facts={[
        { name: text.parameters, value: short(info.parameters) },
        { name: text.layers, value: `${count(info.layers)} × ${count(info.hiddenSize)}` },
        { name: text.weights, value: bytes(info.weightBytes) },
        { name: text.format, value: `${info.modelType}, ${info.weightFormat}` },
        { name: text.context, value: count(info.maxPositions) },
      ]}
    />
  );
}

function SelfCheck({ canCheck }: { readonly canCheck: boolean }) {
  const desk = useDesk();
  const check = useStudio("model", (state) => state.selfCheck);
  const taken = useGpuUser() !== null;
  if (!canCheck) {
    return (
      <Text size="xs" c="dimmed">
        {text.unavailable}
      </Text>
    );
  }
  return (
    <div className="self-check">
      {check.state === "busy" && (
        <ProgressLine
          label={
            phaseLabel(check.progress?.phase, "") === text.opening("")
              ? text.checking
              : phaseLabel(check.progress?.phase, "")
          }
          progress={check.progress}
        />
      )}
      {check.state === "failed" && (
        <ErrorNote error={check.error} action={{ label: strings.errors.retry, run: () => void selfCheck(desk) }} />
      )}
      {check.state === "ready" && (
        <div role="status" className={check.value.agrees ? "verdict good" : "verdict bad"}>
          {check.value.agrees ? <BadgeCheck size={20} aria-hidden /> : <TriangleAlert size={20} aria-hidden />}
          <div>
            <Text size="sm">{check.value.agrees ? text.agrees(check.value.tokens) : text.disagrees}</Text>
            <Text size="xs" className="numbers">
              {text.agreement(check.value.relativeDifference.toExponential(1), percent(check.value.top1Agreement))}
            </Text>
          </div>
        </div>
      )}
      {(check.state === "idle" || check.state === "ready") && (
        <Group gap="sm" wrap="nowrap">
          <Button
            variant="default"
            size="xs"
            leftSection={<ShieldQuestion size={14} aria-hidden />}
            disabled={taken}
            onClick={() => void selfCheck(desk)}
            className="no-shrink"
          >
            {text.check}
          </Button>
          {check.state === "idle" && (
            <Text size="xs" c="dimmed">
              {text.checkHint}
            </Text>
          )}
        </Group>
      )}
    </div>
  );
}
