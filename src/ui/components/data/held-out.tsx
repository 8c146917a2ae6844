/** Rows that are not trained on: a file of their own, a share of the dataset, or none; and what they share with the training rows. */
import { Button, FileButton, Group, Input, NativeSelect, Text } from "@mantine/core";
import { TriangleAlert } from "lucide-react";
import { useId, useState } from "react";
import { acceptedFiles, chooseHeldOut, holdOutShare, takeLeftOut } from "../../actions/choose-data";
import type { Overlap } from "../../stores/data";
import { isRunning } from "../../stores/training";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";
import { LeftOut } from "./left-out";

const text = strings.data;
const shares = [0.05, 0.1, 0.2];
const ownFile = "file";

export function HeldOut() {
  const desk = useDesk();
  const running = useStudio("training", isRunning);
  const name = useStudio("data", (state) => state.heldOutName);
  const share = useStudio("data", (state) => state.options.evalShare);
  const heldOut = useStudio("data", (state) => state.shown?.heldOutRows ?? 0);
  const twice = useStudio("data", (state) => state.shown?.sharedHeldOutRows ?? 0);
  const exact = useStudio("data", (state) => state.shown?.exact ?? true);
  const leftOut = useStudio("data", (state) => state.heldOutLeftOut);
  const [picking, setPicking] = useState(false);
  const id = useId();
  const verb = name === null ? text.heldOutPick : text.heldOutChange;
  const value = name !== null || picking ? ownFile : String(share);
  return (
    <div className="held-out">
      <Input.Wrapper label={text.heldOut} description={text.heldOutHint} id={id}>
        <Group gap={8} wrap="nowrap" mt={4}>
          <NativeSelect
            id={id}
            value={value}
            disabled={running}
            className="grow"
            onChange={(event) => {
              const chosen = event.currentTarget.value;
              setPicking(chosen === ownFile);
              if (chosen !== ownFile) void holdOutShare(desk, Number(chosen));
            }}
            data={[
              { value: "0", label: text.heldOutNone },
              ...shares.map((each) => ({ value: String(each), label: text.heldOutShare(each) })),
              { value: ownFile, label: name === null ? text.heldOutFile : text.heldOutNamed(name) },
            ]}
          />
          {value === ownFile && (
            <FileButton
              multiple
              disabled={running}
              accept={acceptedFiles}
              onChange={(files) => {
                if (files.length > 0) void chooseHeldOut(desk, files).then(() => setPicking(false));
              }}
              inputProps={{ "aria-label": text.heldOutLabel(verb) }}
            >
              {(props) => (
                <Button {...props} variant="default" disabled={running} aria-label={text.heldOutLabel(verb)}>
                  {verb}
                </Button>
              )}
            </FileButton>
          )}
        </Group>
      </Input.Wrapper>
      {share > 0 && name === null && heldOut > 0 && (
        <Text size="xs" c="dimmed" mt={4} className="numbers">
          {text.heldOutRows(heldOut)}
        </Text>
      )}
      {share > 0 && name === null && twice > 0 && <Shared told={text.sharedHeldOut(twice, exact)} examples={[]} />}
      {name !== null && <Compared />}
      <LeftOut names={leftOut} onTake={() => void takeLeftOut(desk, "heldOut")} disabled={running} />
    </div>
  );
}

/** One line of its own height in every state but a warning, so that nothing below it moves. */
function Compared() {
  const overlap = useStudio("data", (state) => state.overlap);
  if (overlap.state === "failed") {
    return (
      <div role="alert" className="verdict bad held-out-verdict">
        <TriangleAlert size={20} aria-hidden />
        <Text size="sm" className="wrap plain">
          {overlap.error.message}
        </Text>
      </div>
    );
  }
  if (overlap.state === "ready" && overlap.value.rows > 0) {
    return <Shared told={text.overlap(overlap.value)} examples={overlap.value.examples} />;
  }
  return (
    <Text size="xs" c="dimmed" mt={4} role="status" className="one-line">
      {overlap.state === "busy" && text.comparing}
      {overlap.state === "ready" && text.overlapNone(overlap.value)}
    </Text>
  );
}

function Shared({ told, examples }: { readonly told: string; readonly examples: Overlap["examples"] }) {
  return (
    <div className="verdict warn held-out-verdict">
      <TriangleAlert size={20} aria-hidden />
      <div className="grow">
        <Text size="sm" className="plain" role="status">
          {told}
        </Text>
        {examples.length > 0 && (
          <details className="small-details plain">
            <summary>{text.overlapShow}</summary>
            <ul className="plain-list">
              {examples.map((row) => (
                <li key={row.row} className="clamp">
                  <Text span size="xs" className="numbers">
                    {text.overlapRow(row.line)}:{" "}
                  </Text>
                  {(row.turns ?? []).map(({ content }) => content).join(" → ") || Object.values(row.cells).join(" · ")}
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
    </div>
  );
}
