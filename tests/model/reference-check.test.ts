/** The check of our kernels against the plain twin: it agrees on every architecture and stored form, and finds planted faults. */
import { describe, expect, it } from "vitest";
import type { Device } from "../../src/engine/device";
import type { Network } from "../../src/model/architecture";
import { readBlueprint } from "../../src/model/blueprint";
import { httpFolder } from "../../src/model/folder";
import { type LoadedModel, loadModel } from "../../src/model/load";
import { openWeights } from "../../src/model/weights/registry";
import { checkKernels, compareWithTwin, type KernelCheck } from "../../src/training/kernel-check";
import { goldenFolder } from "../support/golden";
import { testDevice } from "../support/gpu";
import { goldenModel } from "../support/model";
import { goldenModels } from "./reference-models";

const device = await testDevice();

function show(name: string, check: KernelCheck): void {
  const { tokens, relativeDifference, lossDifference, gradientDifference, top1Agreement, milliseconds } = check;
  const differences = { logits: relativeDifference, loss: lossDifference, gradient: gradientDifference };
  const shown = Object.entries(differences).map(([what, difference]) => `${what} ${difference.toExponential(1)}`);
  console.log(`${name}: ${shown.join(", ")}, top-1 ${top1Agreement}, ${tokens} tokens, ${Math.round(milliseconds)} ms`);
}

/** A hundred times what float32 leaves here, and a tenth of what is allowed. */
function expectAgreement(check: KernelCheck): void {
  expect(check.reason).toBeNull();
  expect(check.agrees).toBe(true);
  expect(check.top1Agreement).toBe(1);
  for (const difference of [check.relativeDifference, check.lossDifference, check.gradientDifference]) {
    expect(difference).toBeLessThanOrEqual(1e-4);
  }
}

describe("kernels that are right", () => {
  it.each(goldenModels)("agree with the twin of %s", async (name) => {
    const model = await goldenModel(device, name);
    const before = device.allocatedBytes;
    const check = await checkKernels(device, model);
    show(name, check);
    expect(check.tokens).toBe(24);
    expect(check.leftOut).toBeNull();
    expectAgreement(check);
    expect(device.allocatedBytes).toBe(before);
    model.destroy();
  });

  it.each(["int8", "int4", "nf4"] as const)("agree with the twin of a model quantized to %s", async (quantization) => {
    const files = goldenFolder("llama-untied/model");
    const blueprint = await readBlueprint(files);
    const source = await openWeights(files, blueprint.tensors);
    const model = await loadModel(device, blueprint, source, { quantization });
    const check = await checkKernels(device, model);
    show(`llama-untied as ${quantization}`, check);
    expectAgreement(check);
    model.destroy();
  });

  it("agree with the twin of the embedded model", async () => {
    const folder = new URL("/models/tabtune-tiny", location.href).href;
    const files = httpFolder("tabtune-tiny", folder, ["config.json", "tokenizer.json", "onnx/model_q4.onnx"]);
    const blueprint = await readBlueprint(files);
    const model = await loadModel(device, blueprint, await openWeights(files, blueprint.tensors));
    const done: number[] = [];
    const check = await checkKernels(device, model, {
      onProgress: (weights, total) => {
        expect(weights).toBeGreaterThan(done.at(-1) ?? 0);
        expect(total).toBeGreaterThanOrEqual(weights);
        done.push(weights / total);
      },
    });
    show("tabtune-tiny", check);
    expectAgreement(check);
    expect(check.leftOut).toBeNull();
    expect(done.at(-1)).toBe(1);
    model.destroy();
  });
});

describe("a model that is too large", () => {
  it("has its last layers checked, and it is said which were not", async () => {
    const model = await goldenModel(device, "llama-untied");
    const check = await checkKernels(device, model, { multiplyAdds: 1 });
    show("llama-untied, one layer", check);
    expectAgreement(check);
    expect(check.tokens).toBe(4);
    expect(check.leftOut).toContain("lower 2 of 3 layers");
    const wrong = await withShader(device, "attention.backward_q", "* (products - terms.y)", "* products", () =>
      checkKernels(device, model, { multiplyAdds: 1 }),
    );
    show("llama-untied, one layer, wrong gradient", wrong);
    expect(wrong.agrees).toBe(false);
    model.destroy();
  });
});

describe("the ids", () => {
  it("are the caller's where there are any", async () => {
    const model = await goldenModel(device, "llama-tied");
    const check = await checkKernels(device, model, { ids: [5, 4, 3, 2, 1, 130] });
    expectAgreement(check);
    expect(check.tokens).toBe(6);
    model.destroy();
  });

  it.each([
    ["too few", [1, 2, 3], "has 3 token ids; it takes from 4 to the model's 256 positions"],
    ["too many", new Array<number>(257).fill(1), "has 257 token ids"],
    ["past the vocabulary", [1, 2, 3, 131], "has the token id 131; ids of this model are from 0 to 130"],
    ["negative", [1, 2, 3, -1], "has the token id -1"],
    ["broken", [1, 2, 3, 0.5], "has the token id 0.5"],
  ])("are refused where %s", async (_, ids, sentence) => {
    const model = await goldenModel(device, "llama-tied");
    await expect(checkKernels(device, model, { ids })).rejects.toThrow(sentence);
    model.destroy();
  });
});

it("ends when aborted and leaves nothing on the GPU", async () => {
  const model = await goldenModel(device, "llama-tied");
  const before = device.allocatedBytes;
  const abort = new AbortController();
  const reason = new DOMException("enough", "AbortError");
  const checking = checkKernels(device, model, { signal: abort.signal, onProgress: () => abort.abort(reason) });
  await expect(checking).rejects.toBe(reason);
  expect(device.allocatedBytes).toBe(before);
  model.destroy();
});

/** Runs with one kernel's WGSL changed. */
async function withShader<T>(on: Device, kernel: string, from: string, to: string, run: () => Promise<T>): Promise<T> {
  const real = on.pipeline.bind(on);
  let planted = 0;
  on.pipeline = (of) => {
    if (of.name !== kernel) return real(of);
    const source = of.source.replaceAll(from, to);
    expect(source, `${kernel} has ${from}`).not.toBe(of.source);
    planted += 1;
    return real({ ...of, source, key: `${of.key} with ${to}` });
  };
  try {
    return await run();
  } finally {
    on.pipeline = real;
    expect(planted, `${kernel} is used`).toBeGreaterThan(0);
  }
}

interface Fault {
  readonly what: string;
  readonly model: string;
  readonly kernel: string;
  readonly from: string;
  readonly to: string;
  /** What has to be found, at least. */
  readonly found: string;
}

const inShaders: readonly Fault[] = [
  {
    what: "attention sees one key too many",
    model: "mistral",
    kernel: "attention.forward",
    from: "params.window - 1u",
    to: "params.window",
    found: "the logits",
  },
  {
    what: "attention in the cache forgets where the query is",
    model: "llama-tied",
    kernel: "attention.forward",
    from: "params.query_offset + token",
    to: "token",
    found: "the logits",
  },
  {
    what: "the cache is filled from its start each time",
    model: "llama-tied",
    kernel: "kv-cache.append",
    from: "cache[params.offset * width + index]",
    to: "cache[index]",
    found: "the logits",
  },
  {
    what: "zero points come from the neighbouring block",
    model: "llama-int4",
    kernel: "linear.forward",
    from: "((column / 32u) % 2u) * 4u",
    to: "0u",
    found: "the logits",
  },
  {
    what: "values become infinite",
    model: "gpt2",
    kernel: "gelu.forward",
    from: "activation(x[index])",
    to: "activation(x[index]) / (x[index] - x[index] * f32(params.width - params.width + 1u))",
    found: "the logits (no number)",
  },
  {
    what: "the loss forgets its largest logit",
    model: "llama-tied",
    kernel: "linear-cross-entropy.loss_and_gradient",
    from: "log(sum) + largest - logits",
    to: "log(sum) - logits",
    found: "the training loss",
  },
  {
    what: "the loss's gradient is one per cent off at the label",
    model: "llama-tied",
    kernel: "linear-cross-entropy.loss_and_gradient",
    from: "value -= params.scale",
    to: "value -= 0.99 * params.scale",
    found: "the gradient",
  },
  {
    what: "a norm's gradient lacks its shared part",
    model: "llama-tied",
    kernel: "rms-norm.backward_x",
    from: "- x[index] * shared_part",
    to: "",
    found: "the gradient",
  },
  {
    what: "a layer norm's gradient lacks its mean",
    model: "gpt-neox",
    kernel: "layer-norm.backward_x",
    from: "- upstream_mean",
    to: "",
    found: "the gradient",
  },
  {
    what: "the gradient is turned forward, not back",
    model: "qwen2",
    kernel: "rope.rotate",
    from: "params.direction *",
    to: "abs(params.direction) *",
    found: "the gradient",
  },
  {
    what: "the gradient of q lacks the scale",
    model: "gemma3",
    kernel: "attention.backward_q",
    from: "(products - terms.y) * params.scale",
    to: "(products - terms.y)",
    found: "the gradient",
  },
  {
    what: "the gradient of k and v sees one query too few",
    model: "mistral",
    kernel: "attention.backward_kv",
    from: "params.window - 1u",
    to: "params.window - 2u",
    found: "the gradient",
  },
  {
    what: "one token in eight gets no gradient through its adapter",
    model: "qwen3",
    kernel: "linear.backward_x",
    from: "let h5 = dh[t5 * ranks + quad];",
    to: "let h5 = vec4<f32>(0.0);",
    found: "the gradient",
  },
  {
    what: "one rank in four gets no gradient",
    model: "phi3",
    kernel: "low-rank.add_gradient",
    from: "g3 += l.w * value;",
    to: "",
    found: "the gradient",
  },
  {
    what: "GELU's derivative lacks the density",
    model: "gpt-neox-serial",
    kernel: "gelu.backward_x",
    from: "normal.cumulative + x * normal.density",
    to: "normal.cumulative",
    found: "the gradient",
  },
  {
    what: "the gradient of up takes the gate for its activation",
    model: "gemma3",
    kernel: "gated-activation.backward_up",
    from: "dy[index] * activation(gate[index])",
    to: "dy[index] * gate[index]",
    found: "the gradient",
  },
  {
    what: "the gradient of columns comes from the run beside",
    model: "gpt-neox",
    kernel: "columns.backward_x",
    from: "params.offset / 4u",
    to: "(params.offset / 4u + 1u)",
    found: "the gradient",
  },
  {
    what: "no gradient at all",
    model: "llama-tied",
    kernel: "low-rank.add_gradient",
    from: "+= g",
    to: "+= 0.0 * g",
    found: "the gradient by 100 %",
  },
];

describe("a fault in a shader is found", () => {
  it.each(inShaders)("$what ($model)", async ({ what, model: name, kernel, from, to, found }) => {
    const model = await goldenModel(device, name);
    const check = await withShader(device, kernel, from, to, () => checkKernels(device, model));
    show(`${kernel}, ${what}`, check);
    console.log(check.reason);
    expect(check.agrees).toBe(false);
    expect(check.reason).toContain(found);
    model.destroy();
  });
});

/** The same weights with another forward pass; the twin has the true one. */
function changed(model: LoadedModel, change: (network: Network) => Partial<Network>): LoadedModel {
  const { blueprint } = model;
  return { ...model, blueprint: { ...blueprint, forward: (n) => blueprint.forward({ ...n, ...change(n) }) } };
}

const inNetworks: readonly {
  readonly what: string;
  readonly model: string;
  readonly change: (network: Network) => Partial<Network>;
}[] = [
  {
    what: "another eps",
    model: "llama-tied",
    change: (n) => ({ rmsNorm: (module, x, _, offset) => n.rmsNorm(module, x, 1e-2, offset) }),
  },
  { what: "no rotary embedding", model: "llama-tied", change: () => ({ rope: (x) => x }) },
  {
    what: "the two rotary embeddings exchanged",
    model: "gemma3",
    change: (n) => {
      const seen: Parameters<Network["rope"]>[1][] = [];
      return {
        rope: (x, rotary) => {
          if (!seen.includes(rotary)) seen.push(rotary);
          return n.rope(x, seen[0] ?? rotary);
        },
      };
    },
  },
  {
    what: "no window",
    model: "mistral",
    change: (n) => ({ attention: (layer, q, k, v) => n.attention(layer, q, k, v) }),
  },
  {
    what: "the default scale of attention",
    model: "gemma3",
    change: (n) => ({ attention: (layer, q, k, v, { window = null } = {}) => n.attention(layer, q, k, v, { window }) }),
  },
  {
    what: "norms that take the weight as it is",
    model: "gemma3",
    change: (n) => ({ rmsNorm: (module, x, eps) => n.rmsNorm(module, x, eps) }),
  },
  { what: "no GELU", model: "gpt2", change: () => ({ gelu: (_, x) => x }) },
  {
    what: "an embedding that is not scaled",
    model: "gemma3",
    change: (n) => ({ embedding: (module) => n.embedding(module) }),
  },
];

describe("a network that differs is found", () => {
  it.each(inNetworks)("$what ($model)", async ({ what, model: name, change }) => {
    const model = await goldenModel(device, name);
    const check = await compareWithTwin(device, changed(model, change), model);
    show(`${name} with ${what}`, check);
    expect(check.agrees).toBe(false);
    expect(check.reason).toMatch(/^What this GPU computes differs .+ is allowed; update .+\.$/);
    model.destroy();
  });
});
