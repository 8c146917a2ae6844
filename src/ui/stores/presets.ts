/** Three ready settings. A preset sets what a run learns with; what data and memory decide stays as it is. */
import { recipeDefaults } from "../../training/recipe";
import type { RecipeForm, TextField } from "./recipe-form";

export const presetNames = ["quick", "balanced", "thorough"] as const;
export type PresetName = (typeof presetNames)[number];

/** The texts that a preset sets beside the learning rate. */
export const presetTexts = [
  "rank",
  "alpha",
  "epochs",
  "warmupSteps",
  "batchSize",
  "gradientAccumulation",
  "dropout",
  "weightDecay",
  "clip",
] as const satisfies readonly TextField[];

export interface Preset {
  readonly text: Readonly<Record<(typeof presetTexts)[number], string>>;
  readonly schedule: string;
  /** Times the rate that suits the model. */
  readonly rateFactor: number;
}

const balanced: Preset = {
  text: {
    rank: String(recipeDefaults.rank),
    alpha: String(recipeDefaults.alpha),
    epochs: String(recipeDefaults.epochs),
    warmupSteps: String(recipeDefaults.warmupSteps),
    batchSize: String(recipeDefaults.batchSize),
    gradientAccumulation: String(recipeDefaults.gradientAccumulation),
    dropout: String(recipeDefaults.dropout),
    weightDecay: String(recipeDefaults.weightDecay),
    clip: String(recipeDefaults.clip),
  },
  schedule: recipeDefaults.schedule,
  rateFactor: 1,
};

/**
 * α/r is 2 in all of them, so that one rate suits each. Quick goes through the data once; runs below a hundred steps bear
 * one and a half times the rate ("LoRA Without Regret", 15 times that of full fine-tuning against 10). Thorough has room
 * for more and sees each row five times, which dropout (QLoRA's 0.05 for larger models) keeps from being learned by
 * heart, and warms up over five steps, as Unsloth's text recipe does. Batches stay small: LoRA bears large ones badly.
 */
export const presets: Readonly<Record<PresetName, Preset>> = {
  quick: {
    text: { ...balanced.text, rank: "4", alpha: "8", epochs: "1" },
    schedule: "linear",
    rateFactor: 1.5,
  },
  balanced,
  thorough: {
    text: { ...balanced.text, rank: "16", alpha: "32", epochs: "5", warmupSteps: "5", dropout: "0.05" },
    schedule: "cosine",
    rateFactor: 1,
  },
};

/** The rate that a preset gives a model, as text. */
export function presetRate(preset: PresetName, suggested: string): string {
  const { rateFactor } = presets[preset];
  return rateFactor === 1 ? suggested : String(Number((Number(suggested) * rateFactor).toPrecision(3)));
}

/** The form with the preset's values; what no preset sets stays. */
export function withPreset(form: RecipeForm, preset: PresetName, suggested: string): RecipeForm {
  const { text, schedule } = presets[preset];
  return {
    ...form,
    text: { ...form.text, ...text, learningRate: presetRate(preset, suggested) },
    schedule,
    lengthUnit: "epochs",
  };
}
