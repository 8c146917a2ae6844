/** What this page may ask: its own origin and the model hub's hosts. The built page's policy holds the browser to the same list. */
import { HubError, withoutQuery } from "./errors";
import hosts from "./hosts.json";

/** Throws `HubError` "elsewhere" before anything is asked of any other host. */
export function checkReach(address: string): void {
  const url = new URL(address);
  // A test runner without pages has no origin.
  if (url.origin === globalThis.location?.origin) return;
  if (url.protocol === "https:" && url.port === "" && hosts.some((host) => covers(host, url.hostname))) return;
  throw new HubError(
    "elsewhere",
    `${withoutQuery(url.href)} is neither on the model hub nor on this site, and this page is kept from asking anyone else; download the file yourself and drop it here.`,
  );
}

const covers = (pattern: string, host: string): boolean =>
  pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host === pattern;
