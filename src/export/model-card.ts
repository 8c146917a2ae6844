/** README.md of an exported PEFT adapter: Hugging Face front matter, how to load it, how it was made. */
import type { Adapter } from "../training/adapter";
import type { BaseModel, ExportContext, RunFacts } from "./types";

export function modelCard(adapter: Adapter, { base, run, chatTemplate = null }: ExportContext): string {
  const { baseModel, rank, alpha, rslora, dropout, targetModules } = adapter.config;
  const scale = rslora ? alpha / Math.sqrt(rank) : alpha / rank;
  const parameters = adapter.modules.reduce((sum, { a, b }) => sum + a.length + b.length, 0);
  const revision = base.revision === null ? "" : `, revision=${JSON.stringify(base.revision)}`;
  return `---
base_model: ${yaml(baseModel)}
library_name: peft
pipeline_tag: text-generation
tags:
- ${yaml(`base_model:adapter:${baseModel}`)}
- lora
- transformers
---

# LoRA adapter for ${markdown(baseModel)}

A LoRA adapter trained with Tabtune in a browser tab. It holds only the change to the base model: ${parameters.toLocaleString("en-US")} parameters in \`adapter_model.safetensors\`.

## How to load it

\`\`\`python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

base = ${JSON.stringify(baseModel)}
tokenizer = AutoTokenizer.from_pretrained(base${revision})
model = AutoModelForCausalLM.from_pretrained(base${revision})
model = PeftModel.from_pretrained(model, "path/to/this/folder")${chatTemplate === null ? "" : templateLine}
\`\`\`

## Adapter

| setting | value |
|---|---|
| rank | ${rank} |
| alpha | ${alpha} |
| scale of B·A | ${Number(scale.toPrecision(6))} (${rslora ? "alpha / √rank, rsLoRA" : "alpha / rank"}) |
| dropout | ${dropout} |
| target modules | ${targetModules.toSorted().map(markdown).join(", ")} |
| base weights in training | ${weightsNote(base)} |
${run ? trainingSection(run) : ""}
## Licence

${licenseNote(base, baseModel)}
`;
}

const templateLine = `
# trained with a chat template of its own
tokenizer.chat_template = open("path/to/this/folder/chat_template.jinja").read()`;

function trainingSection(run: RunFacts): string {
  const { recipe } = run;
  const rows =
    run.datasetRows === undefined || run.datasetRows === null
      ? ""
      : `, ${run.datasetRows.toLocaleString("en-US")} rows`;
  const lines: [string, string | number][] = [
    ["date", run.created.slice(0, 10)],
    ["dataset", `${markdown(run.dataset)}${rows}`],
    ["tokens seen", run.tokens.toLocaleString("en-US")],
    ["optimizer steps", run.steps],
    ["learning rate", `${recipe.learningRate}, ${recipe.schedule}, ${recipe.warmupSteps} warm-up steps`],
    [
      "optimizer",
      `AdamW, weight decay ${recipe.weightDecay}, gradient norm ${recipe.clip === 0 ? "not clipped" : `clipped at ${recipe.clip}`}`,
    ],
    ["batch", `${recipe.batchSize} × ${recipe.gradientAccumulation} (micro-batch × accumulation)`],
    ["tokens per row", `at most ${recipe.maxLength}${recipe.pack ? ", packed" : ""}`],
    ["seed", recipe.seed],
    ["training loss, first and last step", `${loss(run.losses[0])} → ${loss(run.losses.at(-1))}`],
  ];
  if (run.evalBefore !== null && run.evalAfter !== null) {
    lines.push(["held-out loss, before and after", `${loss(run.evalBefore)} → ${loss(run.evalAfter)}`]);
  }
  return `
## Training

| setting | value |
|---|---|
${lines.map(([name, value]) => `| ${name} | ${value} |`).join("\n")}
`;
}

function weightsNote(base: BaseModel): string {
  if (base.weightFormat === "onnx")
    return "4-bit blocks of 32 (ONNX MatMulNBits); other copies of the base differ by their rounding";
  return markdown(base.weightFormat);
}

function licenseNote(base: BaseModel, name: string): string {
  const terms =
    base.license === null
      ? "the licence of its base model"
      : `the licence of its base model (${markdown(base.license)})`;
  return `This adapter was made from ${markdown(name)} and can be used only together with it, so ${terms} applies to their use. The terms of the training data are for whoever shares the adapter to check.`;
}

function loss(value: number | undefined): string {
  return value === undefined ? "not recorded" : value.toFixed(4);
}

/** A YAML scalar: plain where that is safe, else in double quotes, which YAML reads as JSON. */
function yaml(text: string): string {
  return /^[A-Za-z][\w./-]*$/.test(text) ? text : JSON.stringify(text);
}

/** A user's text on one line of a table. */
function markdown(text: string): string {
  return text
    .replace(/[\r\n]+/g, " ")
    .replace(/[\\`*<>|[\]#]/g, "\\$&")
    .slice(0, 300);
}
