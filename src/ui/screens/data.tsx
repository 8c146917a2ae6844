/** The dataset: the sample or a dropped file, its counts, and its first rows as tokens. */
import { Anchor, Button, CloseButton, FileButton, Group, Stack, Text } from "@mantine/core";
import { Dropzone } from "@mantine/dropzone";
import { FileText, ShieldCheck } from "lucide-react";
import type { DatasetInfo } from "../../worker/protocol";
import { chooseFile, chooseHeldOut, chooseSample } from "../actions/data";
import { ErrorNote } from "../components/error-note";
import { Facts } from "../components/facts";
import { ProgressLine } from "../components/progress-line";
import { Section } from "../components/section";
import { TokenStrip } from "../components/token-strip";
import { bytes, count } from "../format";
import { isRunning } from "../stores/training";
import { strings } from "../strings";
import { useDesk, useStudio } from "../studio";

const text = strings.data;
const rowsShown = 3;

export function DataScreen() {
  const desk = useDesk();
  const { name, bytes: size, isSample, info, shown } = useStudio("data", (state) => state);
  const modelOpen = useStudio("model", (state) => state.model.state === "ready");
  const running = useStudio("training", isRunning);
  return (
    <Section
      id="data"
      title={text.title}
      aside={
        name !== null && (
          <Text className="section-name wrap">{isSample ? text.sampleName : `${name}, ${bytes(size)}`}</Text>
        )
      }
    >
      <Stack gap="sm">
        <Dropzone
          onDrop={(files) => void chooseFile(desk, files)}
          disabled={running}
          inputProps={{ "aria-label": text.drop }}
          aria-label={text.drop}
          className="drop"
        >
          <Group gap="sm" wrap="nowrap">
            <FileText size={24} aria-hidden className="drop-icon" />
            <div>
              <Text size="sm" fw={600}>
                {text.drop}
              </Text>
              <Text size="xs" c="dimmed">
                {text.dropHint}
              </Text>
            </div>
          </Group>
        </Dropzone>
        <div className="privacy">
          <ShieldCheck size={18} aria-hidden />
          <Text size="sm">
            <strong>{text.privacy}.</strong> {text.privacyHint}
          </Text>
        </div>
        <HeldOut disabled={running} />
        {!isSample && (
          <Button
            variant="subtle"
            size="compact-sm"
            disabled={running}
            onClick={() => void chooseSample(desk)}
            className="start"
          >
            {text.sample}
          </Button>
        )}
        {info.state === "failed" && (
          <ErrorNote
            error={info.error}
            action={isSample ? undefined : { label: text.sample, run: () => void chooseSample(desk) }}
          />
        )}
        {info.state === "busy" && shown === null && <ProgressLine label={text.reading} progress={info.progress} />}
        {info.state === "idle" && !modelOpen && (
          <Text size="sm" c="dimmed">
            {text.waiting}
          </Text>
        )}
        {shown !== null && <Look info={shown} />}
      </Stack>
    </Section>
  );
}

function HeldOut({ disabled }: { readonly disabled: boolean }) {
  const desk = useDesk();
  const name = useStudio("data", (state) => state.heldOutName);
  return (
    <Group gap={6} className="held-out">
      <Text size="sm">
        {text.heldOut}: <span className="wrap">{name ?? text.heldOutNone}</span>
      </Text>
      <FileButton onChange={(file) => file !== null && chooseHeldOut(desk, file)} accept=".jsonl,.json,.txt">
        {(props) => (
          <Anchor
            component="button"
            type="button"
            size="sm"
            disabled={disabled}
            {...props}
            aria-label={text.heldOutChoose(name === null ? text.choose : text.change)}
          >
            {name === null ? text.choose : text.change}
          </Anchor>
        )}
      </FileButton>
      {name !== null && (
        <CloseButton
          size="sm"
          disabled={disabled}
          aria-label={text.heldOutRemove}
          onClick={() => chooseHeldOut(desk, null)}
        />
      )}
    </Group>
  );
}

function Look({ info }: { readonly info: DatasetInfo }) {
  return (
    <>
      <Facts
        columns="narrow"
        facts={[
          { name: text.rows, value: count(info.rows) },
          { name: text.tokens, value: count(info.tokens) },
          { name: text.counted, value: count(info.countedTokens) },
          { name: text.longest, value: count(info.longestRow) },
        ]}
      />
      {info.truncatedRows > 0 && (
        <Text size="sm" className="warning">
          {text.truncated(info.truncatedRows)}
        </Text>
      )}
      <div>
        <Group justify="space-between" gap="xs" mb={8}>
          <Text size="sm" fw={600}>
            {text.preview}
          </Text>
          <Text size="xs" component="div" className="legend">
            <span className="token counted">{text.legendCounted}</span>
            <span className="token masked">{text.legendMasked}</span>
          </Text>
        </Group>
        {info.preview.slice(0, rowsShown).map((row) => (
          <TokenStrip key={row.line} row={row} />
        ))}
      </div>
    </>
  );
}
