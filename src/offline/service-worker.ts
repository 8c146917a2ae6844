/** The service worker: keeps the page's own files so that it opens without a connection. Requests to other origins are left alone. */
import { type BuiltFile, decide } from "./files";
import { type KeptOptions, keptFiles } from "./kept";
import type { OfflineMessage } from "./messages";

declare const self: ServiceWorkerGlobalScope;
/** The build puts it in place of the name. */
declare const __TABTUNE_BUILT__: Pick<KeptOptions, "files" | "headers">;

const { files, headers } = __TABTUNE_BUILT__;
const { scope } = self.registration;
const kept = keptFiles({ files, headers, scope });

/** Tabs of the version before may still ask for its files. */
async function sweepWhenAlone(): Promise<void> {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (pages.length <= 1) await kept.sweep();
}

self.addEventListener("install", (event) => event.waitUntil(kept.fetchAll("install" satisfies BuiltFile["fetched"])));

self.addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([sweepWhenAlone(), self.clients.claim()]));
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
  // Not waited for: the answer to a skipped wait is the activation itself.
  if (message === "activate") void self.skipWaiting();
  else event.waitUntil(Promise.all([kept.fetchAll("model").catch(() => undefined), sweepWhenAlone()]));
});
