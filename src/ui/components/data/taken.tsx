/** What the files were taken for, and how to take them differently: another format, other columns. */
import { Button, NativeSelect, Text } from "@mantine/core";
import { Columns3, FileCheck2, TriangleAlert } from "lucide-react";
import { useState } from "react";
import type { DatasetInfo } from "../../../worker/protocol";
import { setOptions } from "../../actions/data";
import { needsMapping, shapeLabel } from "../../mapping";
import { isRunning } from "../../stores/training";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";
import { MappingDialog } from "./mapping";
import { DataReading } from "./reading";

const text = strings.data;
const best = "";
const filesShown = 20;

/** A new look takes the first line's place, so that nothing below it moves. */
export function DataTaken({ info }: { readonly info: DatasetInfo }) {
  const desk = useDesk();
  const running = useStudio("training", isRunning);
  const format = useStudio("data", (state) => state.options.format);
  const mapping = useStudio("data", (state) => state.options.mapping);
  const busy = useStudio("data", (state) => state.info.state === "busy");
  const [choosing, setChoosing] = useState(false);
  const found = [...new Set(info.files.map((file) => file.format.label))];
  const named = found.length === 1 && found[0] !== undefined ? found[0] : text.mixedFormats;
  const shape = shapeLabel(info, mapping);
  const guessed = info.shapes.find(({ id }) => id === info.suggestion?.shape)?.label;
  const mappable = info.columns.length > 0;
  const guess = info.formats[0]?.label ?? named;
  return (
    <div className="taken">
      <div className="taken-line">
        {busy ? (
          <DataReading />
        ) : (
          <>
            <FileCheck2 size={18} aria-hidden />
            <Text size="sm" fw={600}>
              {text.taken(named, info.rows, shape)}
            </Text>
          </>
        )}
      </div>
      {info.notes.length > 0 && (
        <ul className="plain-list">
          {info.notes.map((note) => (
            <Text key={note} component="li" size="xs" c="dimmed" className="wrap">
              {note}
            </Text>
          ))}
        </ul>
      )}
      {info.files.length > 1 && <Files info={info} />}
      {needsMapping(info, mapping) && (
        <div className="verdict warn">
          <TriangleAlert size={20} aria-hidden />
          <div>
            <Text size="sm" className="plain">
              {guessed === undefined ? text.unmapped : text.guessed(guessed)}
            </Text>
            <Button size="xs" mt="xs" disabled={running} onClick={() => setChoosing(true)}>
              {guessed === undefined ? text.map : text.checkGuess}
            </Button>
          </div>
        </div>
      )}
      <div className="taken-change">
        <NativeSelect
          label={text.format}
          size="xs"
          value={format ?? best}
          disabled={running}
          onChange={(event) => {
            const { value } = event.currentTarget;
            // Other columns may come with another format.
            void setOptions(desk, { format: value === best ? null : value, mapping: null });
          }}
          data={[
            { value: best, label: text.formatBest(format === null ? named : guess) },
            ...info.formats.map(({ id, label }) => ({ value: id, label })),
          ]}
        />
        {mappable && (
          <Button
            variant="default"
            size="xs"
            disabled={running}
            onClick={() => setChoosing(true)}
            aria-label={`${text.columnsChange}: ${text.columnsOf}`}
            aria-haspopup="dialog"
            leftSection={<Columns3 size={14} aria-hidden />}
          >
            {text.columns}
          </Button>
        )}
      </div>
      {choosing && <MappingDialog info={info} onClose={() => setChoosing(false)} />}
    </div>
  );
}

function Files({ info }: { readonly info: DatasetInfo }) {
  return (
    <details className="small-details">
      <summary>{text.files(info.files.length)}</summary>
      <ul className="plain-list">
        {info.files.slice(0, filesShown).map((file) => (
          <li key={file.name} className="wrap">
            {file.name}{" "}
            <Text span size="xs" c="dimmed">
              {text.fileRow(file.format.label, file.rows, file.bytes)}
            </Text>
          </li>
        ))}
        {info.files.length > filesShown && <li>{text.moreExamples(info.files.length - filesShown)}</li>}
      </ul>
    </details>
  );
}
