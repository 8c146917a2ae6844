/** All stores of the page: plain data, one store per concern. */
import type { StoreApi } from "zustand/vanilla";
import { type ConsequencesState, createConsequencesStore } from "./consequences";
import { createDataStore, type DataState } from "./data";
import { createDeviceStore, type DeviceState } from "./device";
import { createLibraryStore, type LibraryState } from "./library";
import { createLiveStore, type LiveState } from "./live";
import { createModelStore, type ModelState } from "./model";
import { type Budget, createPickerStore, type PickerState } from "./picker";
import { createRecipeStore, type RecipeState } from "./recipe";
import { createRouteStore, type RouteState } from "./route";
import { createRowLossesStore, type RowLossesState } from "./row-losses";
import { createStoredStore, type StoredState } from "./stored";
import { createTrainingStore, type TrainingState } from "./training";
import { createTrialStore, type TrialState } from "./trial";

export interface States {
  readonly route: RouteState;
  readonly device: DeviceState;
  readonly model: ModelState;
  readonly picker: PickerState;
  readonly stored: StoredState;
  readonly data: DataState;
  readonly recipe: RecipeState;
  readonly consequences: ConsequencesState;
  readonly training: TrainingState;
  readonly live: LiveState;
  readonly trial: TrialState;
  readonly rowLosses: RowLossesState;
  readonly library: LibraryState;
}

export type Stores = { readonly [K in keyof States]: StoreApi<States[K]> };

export const createStores = (
  environment: Pick<DeviceState, "secureContext" | "hasWebGpu">,
  modelName: string,
  budget: Budget = { text: "4", bytes: 4e9, error: null },
): Stores => ({
  route: createRouteStore(globalThis.location?.hash ?? ""),
  device: createDeviceStore(environment),
  model: createModelStore(modelName),
  picker: createPickerStore(budget),
  stored: createStoredStore(),
  data: createDataStore(),
  recipe: createRecipeStore(),
  consequences: createConsequencesStore(),
  training: createTrainingStore(),
  live: createLiveStore(),
  trial: createTrialStore(),
  rowLosses: createRowLossesStore(),
  library: createLibraryStore(),
});
