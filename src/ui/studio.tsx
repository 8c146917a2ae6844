/** Hands the desk down the tree and binds its stores to React. */
import { createContext, type ReactNode, use } from "react";
import { useStore } from "zustand";
import { StudioError } from "../worker/errors";
import type { Desk } from "./actions/desk";
import type { States } from "./stores";
import { gpuUser } from "./stores/gpu";
import type { GpuUser } from "./stores/gpu-user";

const DeskContext = createContext<Desk | null>(null);

export function StudioProvider({ desk, children }: { readonly desk: Desk; readonly children: ReactNode }) {
  return <DeskContext value={desk}>{children}</DeskContext>;
}

export function useDesk(): Desk {
  const desk = use(DeskContext);
  if (desk === null) throw new StudioError("internal", "useDesk is called outside StudioProvider.");
  return desk;
}

/** Part of one store's state; draws again when that part changes. Select values, not freshly built objects. */
export function useStudio<K extends keyof States, T>(name: K, select: (state: States[K]) => T): T {
  return useStore(useDesk().stores[name], select);
}

/** Who has the GPU. Draws again when that changes, not with every step or word. */
export function useGpuUser(): GpuUser | null {
  const phase = useStudio("training", (state) => state.phase);
  const running = useStudio("trial", (state) => state.running);
  const rows = useStudio("rowLosses", (state) => state.phase);
  const selfCheck = useStudio("model", (state) => state.selfCheck);
  return gpuUser({ training: { phase }, trial: { running }, rowLosses: { phase: rows }, model: { selfCheck } });
}

/** Another model can be chosen: the GPU is free and none is being opened. */
export function useMayChoose(): boolean {
  const opening = useStudio("picker", (state) => state.opening.state === "busy");
  const usable = useStudio(
    "device",
    ({ hasWebGpu, device, lost }) => hasWebGpu && device.state === "ready" && lost === null,
  );
  return useGpuUser() === null && !opening && usable;
}
