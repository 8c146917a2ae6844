/** The worker's side of the wall: runs a handler per request and posts its events, then its result or its error. */
import { StudioError, toErrorData } from "./errors";
import type { CallName, CallRequest, Handlers, Reply, Request } from "./protocol";

/** What `serve` needs of a worker scope or a `MessagePort`. */
export interface HostPort {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

/** Answers requests for as long as the port lives. Calls run side by side; who may not overlap says so by throwing "busy". */
export function serve(handlers: Handlers, port: HostPort): void {
  const running = new Map<number, AbortController>();
  const post = (reply: Reply): void => port.postMessage(reply);

  async function run<K extends CallName>(request: CallRequest<K>, signal: AbortSignal): Promise<void> {
    const { id, call } = request;
    const emit = (event: unknown): void => port.postMessage({ id, type: "event", call, event });
    try {
      const handler: Handlers[K] | undefined = handlers[request.call];
      if (handler === undefined)
        throw new StudioError("internal", `The worker knows no call "${call}"; reload the page.`);
      const result = await handler(request.input, emit, signal);
      port.postMessage({ id, type: "result", call, result });
    } catch (thrown) {
      post({ id, type: "error", call, error: toErrorData(thrown) });
    }
  }

  port.addEventListener("message", (event) => {
    const request: Request = event.data;
    if (request.call === "abort") {
      running.get(request.id)?.abort();
      return;
    }
    const controller = new AbortController();
    running.set(request.id, controller);
    void run(request, controller.signal).finally(() => running.delete(request.id));
  });
}

/** Tells the page that the GPU went away; tied to no call. */
export function postDeviceLost(port: Pick<HostPort, "postMessage">, reason: string): void {
  const reply: Reply = { id: -1, type: "device-lost", reason };
  port.postMessage(reply);
}
