/** What a server says of one file without sending it: its size, its version, whether it is there. */
import { HubError, isPassing } from "./errors";
import { open, retrying, type Subject, type Web } from "./http";

export interface Head {
  /** Null where it is not said, or only of the compressed file. */
  readonly bytes: number | null;
  /** What the server says of the file's version; "" where it, or its rules for other sites, says nothing. */
  readonly version: string;
  /** A web page, as some servers send for whatever is not there. */
  readonly isPage: boolean;
}

/**
 * With a range, browsers ask for the file uncompressed (source: the Fetch standard, "HTTP-network-or-cache fetch"); else
 * the length may be that of compressed bytes, and pages are not shown how those of another site are encoded.
 */
const uncompressed = { headers: { Range: "bytes=0-0" } };

/** Throws `HubError`. */
export async function headOf(url: string, web: Web, subject: Subject): Promise<Head> {
  const ask = (init: RequestInit) => open(web, url, { cache: "no-store", ...init }, subject);
  let plain = false;
  try {
    return await retrying(web, async () => {
      try {
        return readHead(await ask({ method: "HEAD", ...(plain ? {} : uncompressed) }), !plain);
      } catch (error) {
        // A server may let pages ask without that header alone.
        plain ||= error instanceof HubError && error.reason === "network";
        throw error;
      }
    });
  } catch (error) {
    if (!(error instanceof HubError) || error.reason === "not-found" || isPassing(error)) throw error;
    // Some servers, and all signed addresses, answer GET alone.
    const first = await retrying(web, () => ask(uncompressed));
    await first.body?.cancel().catch(() => undefined);
    return readHead(first, true);
  }
}

function readHead({ headers, status }: Response, isUncompressed: boolean): Head {
  const length =
    status === 206 ? /\/(\d+)$/.exec(headers.get("content-range") ?? "")?.[1] : headers.get("content-length");
  const isPlain = isUncompressed && (headers.get("content-encoding") ?? "identity") === "identity";
  return {
    bytes: isPlain && length && /^\d{1,15}$/.test(length) ? Number(length) : null,
    version: [headers.get("etag"), headers.get("last-modified")].filter((said) => said !== null).join("\n"),
    isPage: (headers.get("content-type") ?? "").startsWith("text/html"),
  };
}
