/** The page's side of the wall: one worker, calls as promises, replies matched by id. */
import { StudioError } from "./errors";
import type { CallName, CallOptions, Calls, EventReply, Reply, Request, ResultReply, StudioClient } from "./protocol";

/** Values of the data line that the page needs: the policies and what holds where nothing was chosen. */
export { dataDefaults, lossChoices, tooLongPolicies } from "../data/options";
export { runsChannel } from "./storage/channel";

/** What `connect` needs of a `Worker` or a `MessagePort`. */
export interface ClientPort {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

interface Waiting<K extends CallName> {
  readonly resolve: (result: Calls[K]["out"]) => void;
  readonly reject: (error: StudioError) => void;
  readonly onEvent: ((event: Calls[K]["event"]) => void) | undefined;
}

/** One table per call, so that a reply finds a caller of its own type without a cast. */
type WaitingByCall = { readonly [K in CallName]: Map<number, Waiting<K>> };

export interface Connection {
  readonly client: StudioClient;
  /** Rejects every open call and all later ones: the other side is gone. */
  fail(error: StudioError): void;
}

export function connect(port: ClientPort): Connection {
  const waiting: WaitingByCall = {
    probe: new Map(),
    openModel: new Map(),
    openReader: new Map(),
    lookUpModel: new Map(),
    outlineModel: new Map(),
    listCatalogue: new Map(),
    storedModels: new Map(),
    deleteStoredModel: new Map(),
    inspectDataset: new Map(),
    viewRows: new Map(),
    overlap: new Map(),
    plan: new Map(),
    targetModules: new Map(),
    calibrate: new Map(),
    train: new Map(),
    evaluate: new Map(),
    evaluateRows: new Map(),
    logits: new Map(),
    generate: new Map(),
    importAdapter: new Map(),
    importAdapters: new Map(),
    exportAdapter: new Map(),
    listRuns: new Map(),
    updateRun: new Map(),
    runLog: new Map(),
    exportRuns: new Map(),
    hideRuns: new Map(),
    restoreRuns: new Map(),
    deleteRun: new Map(),
    selfCheck: new Map(),
  };
  const lostListeners = new Set<(reason: string) => void>();
  let nextId = 0;
  let failure: StudioError | null = null;

  function emit<K extends CallName>(reply: EventReply<K>): void {
    const table: WaitingByCall[K] = waiting[reply.call];
    table.get(reply.id)?.onEvent?.(reply.event);
  }

  function settle<K extends CallName>(reply: ResultReply<K>): void {
    const table: WaitingByCall[K] = waiting[reply.call];
    table.get(reply.id)?.resolve(reply.result);
  }

  port.addEventListener("message", (message) => {
    const reply: Reply = message.data;
    switch (reply.type) {
      case "event":
        emit(reply);
        return;
      case "result":
        settle(reply);
        return;
      case "error":
        waiting[reply.call]
          .get(reply.id)
          ?.reject(new StudioError(reply.error.code, reply.error.message, reply.error.data));
        return;
      case "device-lost":
        for (const listener of lostListeners) listener(reply.reason);
        return;
      default:
        reply satisfies never;
    }
  });

  const client: StudioClient = {
    async call<K extends CallName>(
      call: K,
      input: Calls[K]["in"],
      options: CallOptions<K> = {},
    ): Promise<Calls[K]["out"]> {
      if (failure !== null) throw failure;
      if (options.signal?.aborted === true) throw new StudioError("aborted", "Stopped before it began.");
      const id = nextId++;
      // The worker answers an abort itself: a stopped training still has a result.
      const abort = (): void => port.postMessage({ id, call: "abort" } satisfies Request);
      const table: Map<number, Waiting<K>> = waiting[call];
      try {
        return await new Promise<Calls[K]["out"]>((resolve, reject) => {
          table.set(id, { resolve, reject, onEvent: options.onEvent });
          options.signal?.addEventListener("abort", abort, { once: true });
          port.postMessage({ id, call, input });
        });
      } finally {
        table.delete(id);
        options.signal?.removeEventListener("abort", abort);
      }
    },
    onDeviceLost(listener) {
      lostListeners.add(listener);
      return () => lostListeners.delete(listener);
    },
  };

  return {
    client,
    fail(error) {
      failure = error;
      for (const table of Object.values(waiting)) {
        for (const call of table.values()) call.reject(error);
      }
    },
  };
}

/** The studio's worker and the client that speaks to it. */
export function createClient(): StudioClient {
  const worker = new Worker(new URL("./studio.worker.ts", import.meta.url), { type: "module", name: "tabtune" });
  const { client, fail } = connect(worker);
  worker.addEventListener("error", (event) => {
    const detail =
      event.message === undefined ? "the script did not load" : `${event.message} (${event.filename}:${event.lineno})`;
    fail(
      new StudioError("internal", "The studio's worker stopped; what was kept is safe. Reload the page.", { detail }),
    );
  });
  worker.addEventListener("messageerror", () => {
    fail(new StudioError("internal", "A message of the studio's worker could not be read. Reload the page."));
  });
  return client;
}
