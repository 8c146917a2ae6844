/** Without a device: the model's tokenizer alone, with which rows are read just as the model would read them. */
import { busy } from "../stores/load";
import { adoptModel } from "../stores/recipe";
import { inspect } from "./data";
import { type Desk, failed } from "./desk";

export async function openReader(desk: Desk): Promise<void> {
  const { client, stores, held } = desk;
  stores.model.setState({ reader: busy });
  try {
    const value = await client.call("openReader", { source: held.model });
    adoptModel(stores.recipe, value);
    stores.model.setState({ reader: { state: "ready", value } });
  } catch (error) {
    stores.model.setState({ reader: failed(error) });
    return;
  }
  await inspect(desk);
}
