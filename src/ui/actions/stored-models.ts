/** The models on this device: listing, deleting, and asking the browser to keep them. */
import { type Desk, failed } from "./desk";

export async function refreshStored({ client, stores }: Desk): Promise<void> {
  try {
    stores.stored.setState({ cached: await client.call("storedModels", {}) });
  } catch (thrown) {
    stores.stored.setState({ error: failed(thrown).error });
  }
}

/** One by its key, or "all". What cannot be deleted now, because it is being downloaded, stays and is told. */
export async function deleteStored(desk: Desk, key: string): Promise<void> {
  const { client, stores } = desk;
  const { cached } = stores.stored.getState();
  const keys = key === "all" ? (cached?.models ?? []).map((model) => model.key) : [key];
  stores.stored.setState({ confirming: null, deleting: true, error: null });
  for (const each of keys) {
    try {
      await client.call("deleteStoredModel", { key: each });
    } catch (thrown) {
      stores.stored.setState({ error: failed(thrown).error });
    }
  }
  await refreshStored(desk);
  stores.stored.setState({ deleting: false });
}

/** Browsers decide by themselves or ask the user. Only a page may ask, not its worker. */
export async function keepStored(desk: Desk): Promise<void> {
  const agreed = await askToKeep();
  desk.stores.stored.setState({ refusedToKeep: !agreed });
  await refreshStored(desk);
}

export async function askToKeep(): Promise<boolean> {
  try {
    return (await globalThis.navigator.storage?.persist?.()) ?? false;
  } catch {
    return false;
  }
}
