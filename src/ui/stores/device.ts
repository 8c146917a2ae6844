/** What the page knows of WebGPU here. */
import { createStore } from "zustand/vanilla";
import type { DeviceInfo } from "../../worker/protocol";
import { idle, type Load } from "./load";

export interface DeviceState {
  readonly secureContext: boolean;
  readonly hasWebGpu: boolean;
  readonly device: Load<DeviceInfo>;
  /** Why the device went away; null while it is there. */
  readonly lost: string | null;
}

export const createDeviceStore = ({ secureContext, hasWebGpu }: Pick<DeviceState, "secureContext" | "hasWebGpu">) =>
  createStore<DeviceState>(() => ({ secureContext, hasWebGpu, device: idle, lost: null }));
