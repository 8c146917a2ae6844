/** How answers are drawn: the numbers as typed, and as the worker takes them. */
import { strings } from "../strings";
import { readNumber } from "./number-text";
import type { Sampling, SamplingField } from "./sampling-fields";

export type SamplingText = Readonly<Record<SamplingField, string>>;

export const samplingDefaults: SamplingText = { temperature: "0", topK: "0", topP: "1", seed: "42" };

interface Range {
  readonly least: number;
  /** The least itself is too little. */
  readonly above?: boolean;
  readonly most: number;
  readonly whole: boolean;
}

const ranges: Readonly<Record<SamplingField, Range>> = {
  temperature: { least: 0, most: 10, whole: false },
  topK: { least: 0, most: 1e6, whole: true },
  topP: { least: 0, above: true, most: 1, whole: false },
  seed: { least: 0, most: 2 ** 32 - 1, whole: true },
};

export interface ReadSampling {
  /** Null where a number is wrong. */
  readonly sampling: Sampling | null;
  /** One sentence for each wrong number. */
  readonly errors: Readonly<Partial<Record<SamplingField, string>>>;
}

export function readSampling(typed: SamplingText): ReadSampling {
  const errors: Partial<Record<SamplingField, string>> = {};
  const number = (field: SamplingField): number => {
    const read = readNumber(typed[field]);
    const { least, above = false, most, whole } = ranges[field];
    const { label, takes } = strings.trial.sampling.fields[field];
    if (read.value === null) {
      errors[field] =
        read.why === null
          ? strings.trial.sampling.wrong(label, `"${typed[field].trim()}"`, takes)
          : strings.settings.unread[read.why](label, typed[field].trim());
      return Number.NaN;
    }
    const { value } = read;
    const fits = value <= most && (above ? value > least : value >= least) && (!whole || Number.isInteger(value));
    if (!fits) errors[field] = strings.trial.sampling.wrong(label, String(value), takes);
    return value;
  };
  const sampling = {
    temperature: number("temperature"),
    topK: number("topK"),
    topP: number("topP"),
    seed: number("seed"),
  };
  return { sampling: Object.keys(errors).length === 0 ? sampling : null, errors };
}
