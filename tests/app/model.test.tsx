/** The model step over the fake client: the ways to a model, whether it fits, opening it, and the checks of its numbers. */
import { beforeEach, describe, expect, it } from "vitest";
import { page, userEvent } from "vitest/browser";
import { openModel } from "../../src/ui/actions/model";
import { badCheck, goodCheck, smol, smolId } from "../support/fake-models";
import {
  button,
  fakeStudio,
  go,
  inputs,
  refusal,
  seen,
  shown,
  spinning,
  trainSample,
  upload,
  whenReady,
} from "../support/page-kit";

const { open, desk } = fakeStudio("model");
beforeEach(() => localStorage.clear());

const way = (title: string) => page.getByText(title, { exact: true });
const catalogue = () => way("Models that train well here").click();
const budget = () => page.getByLabelText("GPU memory to use (GB)");
const radio = (name: string | RegExp) => page.getByRole("radio", { name });

async function lookUp(address: string): Promise<void> {
  await way("From the hub").click();
  await userEvent.fill(page.getByLabelText("Model id or address").element(), address);
  await userEvent.keyboard("{Enter}");
}

describe("the first visit", () => {
  it("opens the built-in model, says that its numbers were checked, and asks nobody", async () => {
    const client = open();
    await whenReady();
    await seen("Checked against plain arithmetic on this device: logits differ by 3e-7, gradient by 2e-5.");
    await seen("as in the file");
    for (const title of ["Models that train well here", "From the hub", "Your own file", "On this device"]) {
      await seen(title);
    }
    const outward = client.calls.filter(({ call }) => call === "lookUpModel" || call === "listCatalogue");
    expect(outward).toEqual([]);
    expect(inputs(client, "openModel")).toEqual([
      { source: { kind: "embedded", id: "tabtune-tiny" }, quantization: null },
    ]);
  });

  it("without WebGPU opens nothing, and what is on this device is listed all the same", async () => {
    const client = open({}, { hasWebGpu: false });
    await catalogue();
    await seen("Opening a model needs WebGPU, which is not there.");
    await way("On this device").click();
    await seen(/^Nothing yet\. What you download stays here/);
    expect(client.calls.some(({ call }) => call === "listCatalogue")).toBe(false);
  });
});

describe("models that train well here", () => {
  it("tell in words whether they fit, and what does not is there, off, with the reason", async () => {
    open();
    await whenReady();
    await catalogue();
    await seen("134.5 M parameters · Apache-2.0 licence · 202 MB download");
    await seen("Fits. Training needs about 404 MB of the 4.0 GB of GPU memory you allow.");
    await seen("Tight. Training needs about 3.4 GB of the 4.0 GB of GPU memory you allow.");
    await seen("Too large. Training needs about 12.8 GB of the 4.0 GB of GPU memory you allow.");
    await seen(/^Google asks to accept the licence/);
    await expect.element(button("Choose Llama 3.2 3B Instruct")).toBeDisabled();
    await expect.element(button("Choose Qwen3 0.6B")).toBeEnabled();
    await expect.element(button("Choose Gemma 3 270M Instruct")).toBeEnabled();
  });

  it("are judged again for another memory, which is remembered", async () => {
    const client = open();
    await whenReady();
    await catalogue();
    await userEvent.fill(budget().element(), "16");
    await expect.element(button("Choose Llama 3.2 3B Instruct")).toBeEnabled();
    expect(inputs(client, "listCatalogue").at(-1)).toMatchObject({ memoryBudget: 16e9 });
    expect(localStorage.getItem("tabtune-gpu-memory-gb")).toBe("16");
    await userEvent.fill(budget().element(), "lots");
    await seen('GPU memory to use is "lots"; it must be a number of gigabytes from 0.1 to 1000, such as 4.');
  });

  it("are judged again when the settings of the run change", async () => {
    const client = open();
    await whenReady();
    await catalogue();
    await expect.poll(() => inputs(client, "listCatalogue")).toHaveLength(1);
    await go("train");
    await userEvent.fill(page.getByLabelText("Rank", { exact: true }).element(), "32");
    await go("model");
    await expect.poll(() => inputs(client, "listCatalogue").at(-1)).toMatchObject({ recipe: { rank: 32 } });
  });

  it("chosen are looked up, with the variant that suits them", async () => {
    const client = open();
    await whenReady();
    await catalogue();
    await button("Choose SmolLM2 135M Instruct").click();
    await expect.element(page.getByRole("heading", { name: smolId })).toHaveFocus();
    expect(inputs(client, "lookUpModel")).toEqual([{ address: smolId }]);
    await expect.element(radio(/^ONNX, 4-bit/)).toBeChecked();
    await expect.element(page.getByText("Models that train well here")).toBeVisible();
    await expect.element(button("Choose SmolLM2 135M Instruct")).not.toBeInTheDocument();
  });

  it("that cannot be reached say so beside the one that was chosen", async () => {
    open({
      fail: {
        lookUpModel: { ...refusal("The hub cannot be reached; check the connection."), data: { reason: "offline" } },
      },
    });
    await whenReady();
    await catalogue();
    await button("Choose SmolLM2 135M Instruct").click();
    await expect.element(page.getByRole("alert")).toHaveTextContent("No connection");
    await expect.element(page.getByRole("alert")).toHaveTextContent("The hub cannot be reached; check the connection.");
    await expect.poll(spinning).toEqual([]);
  });
});

describe("a look-up", () => {
  it("starts with Enter and ends in the files of the model, those that cannot be used with their reason", async () => {
    const client = open();
    await whenReady();
    await lookUp(` ${smolId}@main `);
    await expect.element(page.getByRole("heading", { name: smolId })).toHaveFocus();
    expect(inputs(client, "lookUpModel")).toEqual([{ address: `${smolId}@main` }]);
    await seen("commit 12fd25f · llama, 134.5 M parameters");
    await expect.element(radio(/^ONNX, 4-bit/)).toBeChecked();
    await expect.element(radio(/^PyTorch checkpoint/)).toBeDisabled();
    await seen(/^Cannot be used: PyTorch checkpoints may run code/);
    expect(inputs(client, "outlineModel").at(-1)).toMatchObject({
      source: { kind: "found", variant: "onnx/model_q4.onnx" },
      memoryBudget: 4e9,
    });
  });

  it("that fails shows the sentence that came back", async () => {
    open({
      fail: { lookUpModel: { ...refusal("There is no model org/none on the hub."), data: { reason: "not-found" } } },
    });
    await whenReady();
    await lookUp("org/none");
    await expect.element(page.getByRole("alert")).toHaveTextContent("There is no such model");
    await expect.element(page.getByRole("alert")).toHaveTextContent("There is no model org/none on the hub.");
    await expect.element(trainSample()).toBeEnabled();
  });

  it("of nothing asks nobody", async () => {
    const client = open();
    await whenReady();
    await lookUp("  ");
    await expect.element(page.getByRole("alert")).toHaveTextContent("Type a model's id");
    expect(inputs(client, "lookUpModel")).toEqual([]);
  });

  it("can be cancelled", async () => {
    open({ holdLookUp: true });
    await whenReady();
    await lookUp(smolId);
    await seen(`Asking for ${smolId}…`);
    await button("Cancel").click();
    await seen(/^Looking up asks the hub/);
    expect(desk().stores.picker.getState().choice).toBeNull();
  });
});

describe("the chosen model", () => {
  it("shows each way to hold its weights with its memory, and opens in the one that is chosen", async () => {
    const client = open();
    await whenReady();
    await lookUp(smolId);
    await radio(/^safetensors, as trained/).click();
    await expect.element(radio(/^As in the file.*271 MB of weights/)).toBeChecked();
    await expect.element(radio(/^NF4.*76.2 MB of weights/)).toBeVisible();
    await seen("Fits. Training needs about 507 MB of the 4.0 GB of GPU memory you allow.");
    await seen("By its config; the file itself will tell exactly.");
    await radio(/^8 bits/).click();
    await seen(/Weights 152 MB · adapter and optimizer 12.0 MB · activations 400 MB · loss 10.0 MB · other 9.0 MB/);
    await button("Download and open (271 MB)").click();
    await seen("8 bits, made on load");
    await expect.element(page.getByRole("heading", { name: "Model", exact: true })).toHaveFocus();
    expect(inputs(client, "openModel").at(-1)).toMatchObject({
      source: { kind: "found", variant: "model.safetensors" },
      quantization: "int8",
    });
    expect(desk().stores.model.getState()).toMatchObject({ name: smolId, embedded: false });
    expect(document.querySelector(".chosen")).toBeNull();
    await expect.element(trainSample()).toBeEnabled();
    await seen("1 model, 271 MB; open without a connection, or delete");
  });

  it("that does not fit says what would, and does when more memory is allowed", async () => {
    open();
    await whenReady();
    await lookUp(smolId);
    await radio(/^safetensors, as trained/).click();
    await userEvent.fill(budget().element(), "0.55");
    await seen("This does not fit. 4 bits or NF4 would.");
    await expect.element(button(/^Download and open/)).toBeDisabled();
    await radio(/^4 bits/).click();
    await expect.element(button(/^Download and open/)).toBeEnabled();
  });

  it("that cannot be judged shows why, and does not open", async () => {
    open({ fail: { outlineModel: refusal('config.json: model_type "mamba" is not supported.') } });
    await whenReady();
    await lookUp(smolId);
    await expect.element(page.getByRole("alert")).toHaveTextContent('model_type "mamba" is not supported');
    await expect.element(button(/^Download and open/)).toBeDisabled();
    await expect.element(trainSample()).toBeEnabled();
    await button("Choose another model").click();
    expect(document.querySelector(".chosen")).toBeNull();
  });

  it("waits while the GPU is taken", async () => {
    open({ holdAt: 3 });
    await whenReady();
    await lookUp(smolId);
    await trainSample().click();
    await shown("train");
    await go("model");
    await seen("Another model can be opened when what is running has ended.");
    await expect.element(button(/^Download and open/)).toBeDisabled();
    await button("Stop and keep").click();
    await expect.element(button(/^Download and open/)).toBeEnabled();
  });
});

describe("own files", () => {
  const file = (name: string): File => new File(["0123456789"], name);

  it("of one GGUF are judged, then opened", async () => {
    const client = open();
    await whenReady();
    await way("Your own file").click();
    await upload("Drop a model here, or choose its files", file("smol-q4_k_m.gguf"));
    await expect.element(page.getByRole("heading", { name: "smol-q4_k_m" })).toHaveFocus();
    await seen("1 file, 10 B · llama, 134.5 M parameters");
    await button(/^Open$/).click();
    await expect.element(page.getByRole("main").getByText("smol-q4_k_m", { exact: true }).first()).toBeVisible();
    expect(inputs(client, "openModel").at(-1)).toMatchObject({
      source: { kind: "files", name: "smol-q4_k_m", files: [{ path: "smol-q4_k_m.gguf" }] },
    });
  });

  it("that hold no model leave the open one as it is", async () => {
    open({ fail: { outlineModel: refusal("model folder has no config.json; choose the folder that holds it.") } });
    await whenReady();
    await way("Your own file").click();
    await upload("Drop a model here, or choose its files", file("notes.txt"));
    await expect.element(page.getByRole("alert")).toHaveTextContent("model folder has no config.json");
    await expect.element(button(/^Open$/)).toBeDisabled();
    await expect.element(trainSample()).toBeEnabled();
  });

  it("of weights dropped anywhere on the page are a model, not a dataset", async () => {
    const client = open();
    await whenReady();
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(file("weights.safetensors"));
    dataTransfer.items.add(file("config.json"));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
    await expect.element(page.getByRole("heading", { name: "weights" })).toBeVisible();
    expect(inputs(client, "outlineModel").at(-1)).toMatchObject({
      source: { files: [{ path: "model.safetensors" }, { path: "config.json" }] },
    });
    expect(inputs(client, "inspectDataset")).toHaveLength(1);
  });
});

describe("wrong numbers", () => {
  it("in the kernel check turn training off, with the reason", async () => {
    const client = open({ kernelCheck: badCheck });
    await expect.element(button("Training is off: wrong numbers")).toBeDisabled();
    await expect
      .element(page.getByRole("alert"))
      .toHaveTextContent("Training is off: this device computes wrong numbers");
    await expect.element(page.getByRole("alert")).toHaveTextContent(badCheck.reason ?? "");
    expect(page.getByRole("link", { name: "See the model" }).elements()).toEqual([]);
    await go("train");
    await expect.element(page.getByRole("link", { name: "See the model" })).toHaveAttribute("href", "#/model");
    expect(client.calls.some(({ call }) => call === "train")).toBe(false);
  });

  it("in ONNX Runtime's opinion do too, until another model is open", async () => {
    open({ selfCheck: { agrees: false, relativeDifference: 0.3, top1Agreement: 0.4 } });
    await whenReady();
    await button("Check the numbers").click();
    await expect.element(button("Training is off: wrong numbers")).toBeDisabled();
    await expect.element(page.getByRole("alert")).toHaveTextContent(/do not agree on this machine, so training is off/);
    await openModel(desk(), { kind: "files", name: "other", files: [] });
    await expect.element(trainSample()).toBeEnabled();
  });

  it("are not claimed of what was left out, and notes on the model stand beside", async () => {
    const leftOut = "Of its 28 layers the first 2 were checked.";
    open({ kernelCheck: { ...goodCheck, leftOut }, notes: ["The model stays in memory."] });
    await whenReady();
    await seen(`Checked against plain arithmetic on this device: logits differ by 3e-7, gradient by 2e-5. ${leftOut}`);
    await seen("The model stays in memory.");
  });

  it("are not claimed where nothing was checked", async () => {
    open({ kernelCheck: { ...goodCheck, tokens: 0, leftOut: "Another tab has the GPU." } });
    await whenReady();
    await seen("Another tab has the GPU.");
    expect(page.getByText(/^Checked against plain arithmetic/).elements()).toEqual([]);
  });
});

describe("stores", () => {
  it("hold plain data only, with a model chosen", async () => {
    open({ stored: [] });
    await whenReady();
    await catalogue();
    await lookUp(smol.id);
    await expect.element(radio(/^ONNX, 4-bit/)).toBeChecked();
    const state: unknown = desk().stores.picker.getState();
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  });
});
