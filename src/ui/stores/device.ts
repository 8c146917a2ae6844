/** What the page knows of WebGPU here. */
import { createStore } from "zustand/vanilla";
import type { DeviceInfo } from "../../worker/protocol";
import type { BrowserFacts } from "../browser-facts";
import { idle, type Load } from "./load";

export interface DeviceState {
  readonly secureContext: boolean;
  readonly hasWebGpu: boolean;
  readonly device: Load<DeviceInfo>;
  /** Why the device went away; null while it is there. */
  readonly lost: string | null;
  /** Of the browser around the page; null until it is asked for, since reading it takes a moment. */
  readonly browser: BrowserFacts | null;
}

export const createDeviceStore = ({ secureContext, hasWebGpu }: Pick<DeviceState, "secureContext" | "hasWebGpu">) =>
  createStore<DeviceState>(() => ({ secureContext, hasWebGpu, device: idle, lost: null, browser: null }));
