/** The page's side of working offline: registers the service worker, and says when a new version waits. */
import type { StoreApi } from "zustand/vanilla";
import { createStore } from "zustand/vanilla";
import type { OfflineMessage } from "../offline/messages";
import type { ModelState } from "./stores/model";

interface Updates {
  /** Loads the new version; null where there is none. */
  readonly apply: (() => void) | null;
  /** Whether all of its files came as they were built, so that it opens without a connection, too. */
  readonly isKept: boolean;
}

/** One page, one service worker. */
export const updates = createStore<Updates>(() => ({ apply: null, isKept: true }));

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
    watchUpdates(registration, script);
    // The browser looks for a new version by itself, but perhaps before anyone watches.
    if (navigator.serviceWorker.controller !== null) void registration.update().catch(() => undefined);
    await keepModel(model);
  } catch {
    // A private window, or a server that sends it under another type.
  }
}

function watchUpdates(registration: ServiceWorkerRegistration, script: URL): void {
  const { serviceWorker } = navigator;
  let isRuled = serviceWorker.controller !== null;
  const offer = (): void => {
    const { waiting } = registration;
    // The first version of all waits for nothing.
    if (waiting === null || serviceWorker.controller === null) return;
    updates.setState({ apply: () => apply(waiting), isKept: true });
  };
  const offerUnkept = (): void => {
    if (registration.waiting !== null || serviceWorker.controller === null) return;
    updates.setState({ apply: () => void applyUnkept(registration, script), isKept: false });
  };
  const follow = (): void => {
    const { installing } = registration;
    if (installing === null) return;
    let isInstalled = false;
    installing.addEventListener("statechange", () => {
      if (installing.state === "redundant" && !isInstalled) offerUnkept();
      isInstalled = true;
      offer();
    });
  };
  registration.addEventListener("updatefound", follow);
  serviceWorker.addEventListener("controllerchange", () => {
    // Another tab has let the new version in; this one still runs the old.
    if (isRuled) updates.setState({ apply: () => location.reload(), isKept: true });
    isRuled = true;
  });
  follow();
  offer();
}

function apply(waiting: ServiceWorker): void {
  if (waiting.state !== "installed") {
    location.reload();
    return;
  }
  const message: OfflineMessage = "activate";
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  waiting.postMessage(message);
}

/**
 * Without a service worker the page comes from the host, and a new one begins with the files that are kept already: one
 * bad moment costs nothing, and a host that changes files is no reason to see an old version for ever.
 */
async function applyUnkept(registration: ServiceWorkerRegistration, script: URL): Promise<void> {
  // Not one of the kept files, so the network answers; without it the old version is better than none.
  const answer = await fetch(script, { cache: "no-store" }).catch(() => null);
  if (answer?.ok === true) await registration.unregister().catch(() => false);
  location.reload();
}

/** A first visit fetches the model before the service worker sees requests; the browser still has the bytes at hand. */
async function keepModel(model: StoreApi<ModelState>): Promise<void> {
  const { active } = await navigator.serviceWorker.ready;
  // The page has one; what it loads besides carries no type of its own.
  const script = document.querySelector<HTMLScriptElement>("script[type=module][src]")?.src ?? "";
  const message: OfflineMessage = { kind: "keep-model", script };
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
