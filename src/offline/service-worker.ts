/** The service worker: keeps the page's own files so that it opens without a connection. Requests to other origins are left alone. */
import { isAlone, type Teller } from "./alone";
import { type BuiltFile, decide } from "./files";
import { type KeptOptions, keptFiles } from "./kept";
import type { OfflineMessage } from "./messages";

declare const self: ServiceWorkerGlobalScope;
/** The build puts it in place of the name. */
declare const __TABTUNE_BUILT__: Pick<KeptOptions, "files" | "headers">;

const { files, headers } = __TABTUNE_BUILT__;
const { scope } = self.registration;
const kept = keptFiles({ files, headers, scope });

/** Tabs of the version before may still ask for its files, and those of the next one may be there already. */
const sweepWhenAlone = (teller: Teller | null): Promise<void> =>
  kept.sweep(async () => {
    const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    const { installing, waiting } = self.registration;
    return isAlone({ installing, waiting, windows, scope }, files, teller);
  });

self.addEventListener("install", (event) => event.waitUntil(kept.fetchAll("install" satisfies BuiltFile["fetched"])));

self.addEventListener("activate", (event) => {
  event.waitUntil(sweepWhenAlone(null).finally(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { method, url, mode, cache } = request;
  const decision = decide({ method, url, mode, cache, range: request.headers.get("range") }, files, scope);
  if (decision.kind === "file") {
    event.respondWith(kept.answer(decision.file, request, (work) => event.waitUntil(work)));
  } else if (decision.kind === "other-version") {
    event.respondWith(kept.answerOld(request));
  }
});

self.addEventListener("message", (event: ExtendableMessageEvent) => {
  const message: OfflineMessage = event.data;
  const { source } = event;
  // Not waited for: the answer to a skipped wait is the activation itself.
  if (message === "activate") void self.skipWaiting();
  else if (message.kind === "keep-model" && source instanceof Client) {
    const teller: Teller = { id: source.id, script: message.script };
    const fetched = kept.fetchAll("model").catch(() => undefined);
    event.waitUntil(fetched.then(() => sweepWhenAlone(teller)));
  }
});
