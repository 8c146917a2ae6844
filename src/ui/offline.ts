/** The page's side of working offline: registers the service worker, and says when a new version waits. */
import type { StoreApi } from "zustand/vanilla";
import { createStore } from "zustand/vanilla";
import type { OfflineMessage } from "../offline/messages";
import type { ModelState } from "./stores/model";

interface Updates {
  /** Loads the version that waits; null where none does. */
  readonly apply: (() => void) | null;
}

/** One page, one service worker. */
export const updates = createStore<Updates>(() => ({ apply: null }));

/** In the built page only. Where the browser has no service workers, or refuses this one, all works as before, online. */
export function workOffline(model: StoreApi<ModelState>): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  // The first visit's own requests come first.
  if (document.readyState === "complete") void begin(model);
  else window.addEventListener("load", () => void begin(model), { once: true });
}

async function begin(model: StoreApi<ModelState>): Promise<void> {
  try {
    const script = new URL("service-worker.js", document.baseURI);
    const registration = await navigator.serviceWorker.register(script, { updateViaCache: "none" });
    watchUpdates(registration);
    await keepModel(model);
  } catch {
    // A private window, or a server that sends it under another type.
  }
}

function watchUpdates(registration: ServiceWorkerRegistration): void {
  const offer = (): void => {
    const { waiting } = registration;
    // The first version of all waits for nothing.
    if (waiting === null || navigator.serviceWorker.controller === null) return;
    updates.setState({ apply: () => apply(waiting) });
  };
  const follow = (): void => registration.installing?.addEventListener("statechange", offer);
  registration.addEventListener("updatefound", follow);
  follow();
  offer();
}

function apply(waiting: ServiceWorker): void {
  const message: OfflineMessage = "activate";
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  waiting.postMessage(message);
}

/** A first visit fetches the model before the service worker sees requests; the browser still has the bytes at hand. */
async function keepModel(model: StoreApi<ModelState>): Promise<void> {
  const { active } = await navigator.serviceWorker.ready;
  const message: OfflineMessage = "keep-model";
  const isOpen = ({ embedded, model: { state } }: ModelState): boolean => embedded && state === "ready";
  if (isOpen(model.getState())) {
    active?.postMessage(message);
    return;
  }
  const leave = model.subscribe((state) => {
    if (!isOpen(state)) return;
    leave();
    active?.postMessage(message);
  });
}
