/** How the charts of a run are drawn; it holds for the session. */
import { Button, Checkbox, NativeSelect } from "@mantine/core";
import { useId } from "react";
import { changeView, mostSmoothing, plainView, windows } from "../../stores/live";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";

const text = strings.run.controls;

export function RunControls() {
  const { live } = useDesk().stores;
  const view = useStudio("live", (state) => state.view);
  const slider = useId();
  const plain = JSON.stringify(view) === JSON.stringify(plainView);
  return (
    <fieldset className="run-controls">
      <legend className="run-controls-title">{text.title}</legend>
      <label className="run-smoothing" htmlFor={slider}>
        <span>
          {text.smoothing} <span className="numbers">{view.smoothing.toFixed(2)}</span>
        </span>
        <input
          id={slider}
          type="range"
          min={0}
          max={mostSmoothing}
          step={0.01}
          value={view.smoothing}
          onChange={(event) => changeView(live, { smoothing: Number(event.currentTarget.value) })}
        />
      </label>
      <NativeSelect
        size="xs"
        label={text.window}
        value={view.window ?? ""}
        onChange={(event) => {
          const { value } = event.currentTarget;
          changeView(live, { window: windows.find((steps) => String(steps) === value) ?? null });
        }}
        data={[
          { value: "", label: text.all },
          ...windows.map((steps) => ({ value: String(steps), label: text.last(steps) })),
        ]}
      />
      <Checkbox
        size="xs"
        label={text.log}
        checked={view.log}
        onChange={(event) => changeView(live, { log: event.currentTarget.checked })}
      />
      <Checkbox
        size="xs"
        label={text.clip}
        checked={view.clip}
        onChange={(event) => changeView(live, { clip: event.currentTarget.checked })}
      />
      <Button size="compact-xs" variant="default" disabled={plain} onClick={() => changeView(live, plainView)}>
        {text.reset}
      </Button>
    </fieldset>
  );
}
