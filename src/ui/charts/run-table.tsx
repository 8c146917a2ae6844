/** The numbers of the charts as a table, for screen readers and for copying. */
import { Button, Text } from "@mantine/core";
import { Copy } from "lucide-react";
import { useState } from "react";
import { count, decimal, rate } from "../format";
import type { RunNumbers } from "../stores/training";
import { strings } from "../strings";
import { tableStride } from "./curve";

const text = strings.run.table;
const mostRows = 25;

interface Props {
  readonly id: string;
  readonly run: RunNumbers;
  readonly smooth: readonly number[];
}

export function RunTable({ id, run, smooth }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <details id={id} className="advanced" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{text.summary}</summary>
      {open && <Rows run={run} smooth={smooth} />}
    </details>
  );
}

function Rows({ run, smooth }: Omit<Props, "id">) {
  const { losses, evals } = run;
  const stride = tableStride(losses.length, mostRows);
  const steps = losses.map((_, index) => index + 1).filter((step) => step % stride === 0 || step === losses.length);
  const heldOut = new Set(evals.map(({ step }) => step));
  const shown = [...new Set([...steps, ...heldOut])].filter((step) => step <= losses.length).sort((a, b) => a - b);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
      <section className="run-table" aria-label={text.caption(stride)} tabIndex={0}>
        <table className="numbers">
          <caption>{text.caption(stride)}</caption>
          <thead>
            <tr>
              {text.columns.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((step) => {
              const [first, ...others] = rowOf(run, smooth, step);
              return (
                <tr key={step}>
                  <th scope="row">{first}</th>
                  {others.map((value, index) => (
                    <td key={text.columns[index + 1]}>{value}</td>
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
      {losses.length === 0 ? <Text size="sm">{text.empty}</Text> : <CopyAll run={run} smooth={smooth} />}
    </>
  );
}

/** Step 0 has a held-out loss only. */
function rowOf({ losses, rates, norms, speeds, evals }: RunNumbers, smooth: readonly number[], step: number): string[] {
  const at = (values: readonly number[], write: (value: number) => string): string => {
    const value = step === 0 ? undefined : values[step - 1];
    return value === undefined ? "" : write(value);
  };
  const held = evals.find((entry) => entry.step === step)?.loss;
  return [
    count(step),
    at(losses, (value) => decimal(value, 4)),
    at(smooth, (value) => decimal(value, 4)),
    held === undefined ? "" : decimal(held, 4),
    at(rates, rate),
    at(norms, (value) => decimal(value, 3)),
    at(speeds, count),
  ];
}

function CopyAll({ run, smooth }: Omit<Props, "id">) {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(allSteps(run, smooth));
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <Button
      size="xs"
      variant="default"
      mt={8}
      leftSection={<Copy size={14} aria-hidden />}
      onClick={() => void copy().catch(() => setCopied(false))}
    >
      {copied ? text.copied : text.copy}
    </Button>
  );
}

/** Tab-separated with all digits, as spreadsheets take it. */
function allSteps({ losses, rates, norms, speeds, evals }: RunNumbers, smooth: readonly number[]): string {
  const held = new Map(evals.map(({ step, loss }) => [step, loss]));
  const line = (cells: readonly (string | number | undefined)[]): string => cells.map((cell) => cell ?? "").join("\t");
  const before = held.has(0) ? [line([0, "", "", held.get(0), "", "", ""])] : [];
  const rows = losses.map((loss, index) =>
    line([index + 1, loss, smooth[index], held.get(index + 1), rates[index], norms[index], speeds[index]]),
  );
  return [line(text.columns), ...before, ...rows].join("\n");
}
