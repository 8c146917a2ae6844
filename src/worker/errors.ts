/** Errors as they cross the wall between worker and page: a code to switch on, one sentence for a person, plain data. */
import type { ErrorCode, ErrorData } from "./protocol";

/** What a call of `StudioClient` rejects with, and what worker code throws where no error class of a lower layer fits. */
export class StudioError extends Error {
  override readonly name = "StudioError";
  readonly code: ErrorCode;
  readonly data: ErrorData["data"];
  constructor(code: ErrorCode, message: string, data: ErrorData["data"] = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.data = data;
  }
}

/**
 * By class name, not by `instanceof`: the wall must not load every layer to know its errors.
 * Classes that are not listed are faults of our own and become "internal".
 */
const codeByName: ReadonlyMap<string, ErrorCode> = new Map<string, ErrorCode>([
  ["RecipeError", "bad-input"],
  ["DataError", "bad-input"],
  ["ModelError", "bad-input"],
  ["WeightsError", "bad-input"],
  ["TokenizerError", "bad-input"],
  ["AdapterError", "bad-input"],
  ["DeviceError", "gpu"],
  ["OutOfMemoryError", "out-of-memory"],
  ["DivergedError", "diverged"],
  ["QuotaExceededError", "storage"],
  ["AbortError", "aborted"],
]);

/** What Chromium, Firefox and Safari say of an `import()` that got no file. */
const lostPart = /dynamically imported module|importing a module script failed/i;

/** Any thrown value as data that can be posted. Never throws. */
export function toErrorData(thrown: unknown): ErrorData {
  if (thrown instanceof StudioError) return { code: thrown.code, message: thrown.message, data: thrown.data };
  if (!(thrown instanceof Error)) return internal(String(thrown), {});
  const code = codeByName.get(thrown.name);
  if (code === "aborted") return { code, message: "Stopped before there was anything to keep.", data: {} };
  if (thrown.name === "HubError") return { code: hubCode(thrown), message: thrown.message, data: plainFields(thrown) };
  if (code !== undefined) return { code, message: thrown.message, data: plainFields(thrown) };
  if (thrown instanceof TypeError && lostPart.test(thrown.message)) {
    return {
      code: "internal",
      message:
        "A part of Tabtune could not be fetched; connect to the network and try again, without reloading the page.",
      data: { detail: thrown.message.slice(0, 500) },
    };
  }
  return internal(`${thrown.name}: ${thrown.message}`, { stack: (thrown.stack ?? "").slice(0, 2000) });
}

/** The hub's errors say what kind they are in `reason`. */
function hubCode(error: Error): ErrorCode {
  const reason = "reason" in error ? error.reason : null;
  return reason === "storage" || reason === "busy" ? reason : "bad-input";
}

function internal(detail: string, data: ErrorData["data"]): ErrorData {
  return {
    code: "internal",
    message: "Tabtune met a fault of its own; what was kept is safe. Reload the page and try again.",
    data: { ...data, detail: detail.slice(0, 500) },
  };
}

/** The error's own strings and numbers: file, line, field and the like. */
function plainFields(error: Error): ErrorData["data"] {
  const data: Record<string, string | number> = {};
  for (const [key, value] of Object.entries(error)) {
    if (key !== "name" && (typeof value === "string" || typeof value === "number")) data[key] = value;
  }
  return data;
}
