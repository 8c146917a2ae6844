/** What happens when the page opens: GPU, model, sample and kept runs, each on its own so that one failing hides no other. */
import { busy } from "../stores/load";
import { chooseSample } from "./choose-data";
import { watchFit } from "./choose-model";
import { watchConsequences } from "./consequences";
import { watchRecipe } from "./data";
import { type Desk, failed } from "./desk";
import { refreshLibrary, watchRuns } from "./library";
import { openModel } from "./model";
import { openReader } from "./reader";
import { watchRoute } from "./route";

/** Returns what undoes the subscriptions. */
export function startUp(desk: Desk): () => void {
  const { client, stores, held } = desk;
  const leave = client.onDeviceLost((lost) => stores.device.setState({ lost }));
  const unwatch = [watchRecipe(desk), watchFit(desk), watchConsequences(desk), watchRuns(desk), watchRoute(desk)];
  void refreshLibrary(desk);
  void chooseSample(desk);
  void (stores.device.getState().hasWebGpu ? probeAndOpen() : openReader(desk));
  return () => {
    leave();
    for (const end of unwatch) end();
  };

  async function probeAndOpen(): Promise<void> {
    stores.device.setState({ device: busy });
    try {
      stores.device.setState({ device: { state: "ready", value: await client.call("probe", {}) } });
    } catch (error) {
      stores.device.setState({ device: failed(error) });
      await openReader(desk);
      return;
    }
    await openModel(desk, held.model);
  }
}
