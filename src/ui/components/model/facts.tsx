/** The open model: what it holds, and what the two checks of its numbers say. */
import { Button, Group, Text } from "@mantine/core";
import { BadgeCheck, ShieldQuestion, TriangleAlert } from "lucide-react";
import type { KernelCheckSummary, ModelInfo } from "../../../worker/protocol";
import { selfCheck } from "../../actions/model";
import { bytes, count, percent, short } from "../../format";
import { strings } from "../../strings";
import { useDesk, useGpuUser, useStudio } from "../../studio";
import { ErrorNote } from "../error-note";
import { Facts } from "../facts";
import { ProgressLine } from "../progress-line";

const text = strings.model;

export const phaseLabel = (phase: string): string => `${phase.charAt(0).toUpperCase()}${phase.slice(1)}…`;

export function ModelFacts({ info }: { readonly info: ModelInfo }) {
  return (
    <Facts
      columns="wide"
      facts={[
        { name: text.parameters, value: short(info.parameters) },
        { name: text.layers, value: `${count(info.layers)} × ${count(info.hiddenSize)}` },
        { name: text.weights, value: bytes(info.weightBytes) },
        { name: text.held, value: text.quantization(info.quantization) },
        { name: text.format, value: `${info.modelType}, ${info.weightFormat}` },
        { name: text.context, value: count(info.maxPositions) },
      ]}
    />
  );
}

export function KernelCheck({ check }: { readonly check: KernelCheckSummary }) {
  if (!check.agrees) {
    return (
      <div role="alert" className="verdict bad">
        <TriangleAlert size={20} aria-hidden />
        <div>
          <Text size="sm" fw={600}>
            {text.kernelsWrong}
          </Text>
          <Text size="sm" className="wrap plain">
            {check.reason} {text.kernelsRemedy}
          </Text>
        </div>
      </div>
    );
  }
  return (
    <div className={`quiet-check ${check.tokens > 0 ? "quiet-good" : "quiet-none"}`}>
      {check.tokens > 0 ? <BadgeCheck size={16} aria-hidden /> : <ShieldQuestion size={16} aria-hidden />}
      <Text size="xs" className="numbers">
        {text.kernels(check)}
      </Text>
    </div>
  );
}

export function SelfCheck({ canCheck }: { readonly canCheck: boolean }) {
  const desk = useDesk();
  const check = useStudio("model", (state) => state.selfCheck);
  const opening = useStudio("model", (state) => state.model.state === "busy");
  const taken = useGpuUser() !== null || opening;
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
          label={check.progress === null ? text.checking : phaseLabel(check.progress.phase)}
          progress={check.progress}
        />
      )}
      {check.state === "failed" && (
        <ErrorNote error={check.error} action={{ label: strings.errors.retry, run: () => void selfCheck(desk) }} />
      )}
      {check.state === "ready" && (
        <div
          role={check.value.agrees ? "status" : "alert"}
          className={check.value.agrees ? "verdict good" : "verdict bad"}
        >
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
