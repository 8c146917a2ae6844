/** Downloads and the models on this device, over the fake client: progress, cancelling, resuming, listing, deleting. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { chooseStored } from "../../src/ui/actions/choose-model";
import { smolId, someStored } from "../support/fake-models";
import { button, fakeStudio, inputs, refusal, seen, spinning, trainSample, whenReady } from "../support/page-kit";

const { open, desk } = fakeStudio("model");
beforeEach(() => localStorage.clear());

async function choose(): Promise<void> {
  await page.getByText("From the hub", { exact: true }).click();
  await userEvent.fill(page.getByLabelText("Model id or address").element(), smolId);
  await button("Look up").click();
  await expect.element(button("Download and open (200 MB)")).toBeEnabled();
}

const list = () => page.getByText("On this device", { exact: true }).first().click();

describe("a download", () => {
  it("tells bytes, speed, what is left and the file; cancelled, it keeps what came in and goes on from there", async () => {
    const client = open({ holdDownload: true, pace: 4 });
    await whenReady();
    await choose();
    await button("Download and open (200 MB)").click();
    await seen("Downloading onnx/model_q4.onnx");
    await seen("100 MB of 200 MB · 11.4 MB/s · 9 s left");
    const cancel = button(`Cancel opening ${smolId}`);
    await expect.element(cancel).toHaveFocus();
    await seen("50 percent downloaded");
    // The model that is open works on.
    await expect.element(trainSample()).toBeEnabled();
    await cancel.click();
    await seen("Stopped. 100 MB of 200 MB are kept on this device; Resume goes on from there.");
    await expect.element(trainSample()).toBeEnabled();
    expect(desk().stores.model.getState()).toMatchObject({ name: "tabtune-tiny", embedded: true, standing: null });
    expect(inputs(client, "inspectDataset")).toHaveLength(1);
    await expect.poll(spinning).toEqual([]);
    await button("Resume (100 MB to go)").click();
    await expect.poll(() => desk().stores.model.getState().name).toBe(smolId);
    await expect.element(trainSample()).toBeEnabled();
  });

  it("that breaks says so, says what is kept, and resumes", async () => {
    const error = {
      ...refusal("The connection broke at 100 MB of onnx/model_q4.onnx; resume."),
      data: { reason: "network" },
    };
    open({ breakDownload: error });
    await whenReady();
    await choose();
    await button("Download and open (200 MB)").click();
    await expect.element(page.getByRole("alert")).toHaveTextContent("The connection broke");
    await expect
      .element(page.getByRole("alert"))
      .toHaveTextContent("The connection broke at 100 MB of onnx/model_q4.onnx; resume.");
    await seen("100 MB of 200 MB are kept on this device; Resume goes on from there.");
    await expect.element(trainSample()).toBeEnabled();
    await button("Resume (100 MB to go)").click();
    await expect.poll(() => desk().stores.model.getState().name).toBe(smolId);
    expect(page.getByRole("alert").elements()).toEqual([]);
  });

  it("followed by weights that do not load leaves no model open, and a way back", async () => {
    open({ breakLoading: refusal("model.layers.3 is cut short; download the file again.") });
    await whenReady();
    await choose();
    await button("Download and open (200 MB)").click();
    await expect.element(page.getByRole("alert")).toHaveTextContent("model.layers.3 is cut short");
    await expect.element(button("Choose a model")).toBeDisabled();
    await expect.element(button(/^Open$/)).toBeEnabled();
    await button("Back to the built-in model").click();
    await expect.element(trainSample()).toBeEnabled();
  });

  it("that ends while a run has the GPU says so, and opens after it", async () => {
    const client = open({
      holdAt: 3,
      busyAfterDownload: refusal("Tabtune is training; try again when that has ended.", "busy"),
    });
    await whenReady();
    await choose();
    await button("Download and open (200 MB)").click();
    await expect.element(page.getByRole("alert")).toHaveTextContent("Tabtune is training");
    await expect.element(trainSample()).toBeEnabled();
    expect(inputs(client, "inspectDataset")).toHaveLength(1);
    await button(/^Open$/).click();
    await expect.poll(() => desk().stores.model.getState().name).toBe(smolId);
  });

  it("asks the browser to keep what is downloaded", async () => {
    const persist = vi.spyOn(navigator.storage, "persist").mockResolvedValue(true);
    open();
    await whenReady();
    expect(persist).not.toHaveBeenCalled();
    await choose();
    await button("Download and open (200 MB)").click();
    await expect.poll(() => desk().stores.model.getState().name).toBe(smolId);
    expect(persist).toHaveBeenCalledOnce();
  });
});

describe("the models on this device", () => {
  it("are listed with commit, sizes, what is whole and what is not, and the room they take", async () => {
    open({ stored: someStored });
    await whenReady();
    await seen("3 models, 579 MB; open without a connection, or delete");
    await list();
    await seen(/^commit 12fd25f · 308 MB · last used Mar 4, 2026/);
    await seen("110 MB of 271 MB, not finished");
    await seen(/^Its record is damaged/);
    await seen(
      /^3 models, 579 MB\. This site takes 619 MB of the 60\.0 GB that the browser allows it\. The browser may clear these/,
    );
  });

  it("open without a look-up", async () => {
    const client = open({ stored: someStored });
    await whenReady();
    await list();
    await button(`Choose ${smolId}, ONNX, 4-bit`).click();
    await button(/^Open$/).click();
    await expect.poll(() => desk().stores.model.getState().name).toBe(smolId);
    expect(inputs(client, "openModel").at(-1)).toMatchObject({
      source: { kind: "stored", variant: "onnx/model_q4.onnx" },
    });
    expect(inputs(client, "lookUpModel")).toEqual([]);
  });

  it("half done go on with one press", async () => {
    const client = open({ stored: someStored });
    await whenReady();
    await list();
    await button(`Resume the download of ${smolId}, safetensors, as trained`).click();
    await expect.poll(() => desk().stores.model.getState().name).toBe(smolId);
    expect(inputs(client, "openModel").at(-1)).toMatchObject({
      source: { kind: "found", variant: "model.safetensors" },
    });
  });

  it("are deleted one by one after a yes, which says what goes", async () => {
    const client = open({ stored: someStored });
    await whenReady();
    await list();
    await button(`Delete ${smolId} from this device`).click();
    await expect.element(page.getByRole("dialog", { name: `Delete ${smolId} from this device?` })).toBeVisible();
    await seen(/^3 files with 308 MB \(ONNX, 4-bit; safetensors, as trained\) are removed from this browser/);
    await button("Keep the files").click();
    await expect.poll(() => page.getByRole("dialog").elements().length).toBe(0);
    expect(inputs(client, "deleteStoredModel")).toEqual([]);
    await button(`Delete ${smolId} from this device`).click();
    await button("Delete the files").click();
    await seen("2 models, 271 MB; open without a connection, or delete");
    await expect.element(button("Delete Qwen/Qwen3-0.6B from this device")).toHaveFocus();
  });

  it("are deleted all at once, the damaged ones too", async () => {
    open({ stored: someStored });
    await whenReady();
    await list();
    await button("Delete all").click();
    await seen(/^579 MB of downloaded files are removed/);
    await button("Delete the files").click();
    await seen(/^Nothing yet\. What you download/);
    await seen("Nothing downloaded yet");
  });

  it("that cannot be deleted now stay, with the reason", async () => {
    open({
      stored: someStored,
      fail: { deleteStoredModel: refusal("This model is being downloaded; stop the download first.") },
    });
    await whenReady();
    await list();
    await button("Delete broken from this device").click();
    await button("Delete the files").click();
    await expect.element(page.getByRole("alert")).toHaveTextContent("stop the download first");
    await seen("3 models, 579 MB; open without a connection, or delete");
  });

  it("that are open say that they stay so", async () => {
    open({ stored: someStored });
    await whenReady();
    const [first] = someStored;
    if (first === undefined) throw new TypeError("no model is stored");
    await chooseStored(desk(), first, "onnx/model_q4.onnx");
    await button(/^Open$/).click();
    await expect.poll(() => desk().stores.model.getState().model.state).toBe("ready");
    await list();
    await button(`Delete ${smolId} from this device`).click();
    await seen("It stays open in this tab until you open another or close the page.");
  });

  it("ask the browser to keep them, and tell where it does not", async () => {
    vi.spyOn(navigator.storage, "persist").mockResolvedValue(false);
    open({ stored: someStored });
    await whenReady();
    await list();
    await button("Ask it to keep them").click();
    await seen(/^The browser did not agree/);
  });
});
