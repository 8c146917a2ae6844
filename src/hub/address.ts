/** What a user types for a model: a hub id, an address of the hub, or the address of one file on the hub's hosts or this site. */
import { HubError, withoutQuery } from "./errors";
import { checkReach } from "./reach";
import type { ModelAddress } from "./types";

const hubHosts = new Set(["huggingface.co", "www.huggingface.co", "hf.co"]);
const maxLength = 2000;
/** One half of a hub id. Source: the hub's rules for repository names. */
const namePattern = /^(?!.*(--|\.\.))[A-Za-z0-9_](?:[\w.-]{0,94}[\w])?$/;
const revisionPattern = /^(?!.*\.\.)[\w][\w./-]{0,199}$/;
/** "Q4_K_M" behind a colon. */
const typePattern = /:([\w.-]{1,60})$/;

/** Throws `HubError` "elsewhere" for a file on another host, "address" for anything else. */
export function parseAddress(text: string): ModelAddress {
  const typed = text.trim();
  if (typed === "") throw wrong(typed, "nothing was typed");
  if (typed.length > maxLength) throw wrong(typed.slice(0, 60), `it has ${typed.length} characters`);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(typed)) return parseUrl(typed);
  if (/^(www\.)?(huggingface\.co|hf\.co)\//i.test(typed)) return parseUrl(`https://${typed}`);
  const { rest, type } = splitType(typed);
  const [id = "", revision, ...more] = rest.split("@");
  if (more.length > 0) throw wrong(typed, "it holds more than one @");
  return { kind: "hub", id: checkId(id, typed), revision: checkRevision(revision, typed), file: null, type };
}

export function isHubId(id: string): boolean {
  const parts = id.split("/");
  return parts.length <= 2 && parts.every((part) => namePattern.test(part));
}

function parseUrl(typed: string): ModelAddress {
  if (!URL.canParse(typed)) throw wrong(typed, "it is no valid address");
  const url = new URL(typed);
  if (url.protocol !== "https:" && url.protocol !== "http:") throw wrong(typed, `${url.protocol} cannot be fetched`);
  if (url.username !== "" || url.password !== "")
    throw wrong(typed, "a name and a password in an address are not sent");
  if (!hubHosts.has(url.hostname)) {
    checkReach(url.href);
    return { kind: "url", url: url.href };
  }
  const parts = url.pathname.split("/").filter((part) => part !== "");
  const [first = ""] = parts;
  if (first === "datasets" || first === "spaces") throw wrong(typed, `it is one of the hub's ${first}, not a model`);
  const at = parts.findIndex((part, i) => i > 0 && ["tree", "blob", "resolve", "raw", "commit"].includes(part));
  const name = (at < 0 ? parts : parts.slice(0, at)).slice(0, 2).map((part) => decode(part, typed));
  const { rest, type } = at < 0 ? splitType(name.join("/")) : { rest: name.join("/"), type: null };
  const id = checkId(rest, typed);
  if (at < 0) return { kind: "hub", id, revision: null, file: null, type };
  // The one kind of revision that the hub shows with its slashes: refs/pr/1.
  const length = parts[at + 1] === "refs" ? 3 : 1;
  const named = parts.slice(at + 1, at + 1 + length).map((part) => decode(part, typed));
  const revision = checkRevision(named.join("/") || undefined, typed);
  const path = parts.slice(at + 1 + length).map((part) => decode(part, typed));
  const isFile = parts[at] !== "tree" && parts[at] !== "commit" && path.length > 0;
  return { kind: "hub", id, revision, file: isFile ? path.join("/") : null, type };
}

/** "latest" is what Ollama puts where no type is named. */
function splitType(text: string): { readonly rest: string; readonly type: string | null } {
  const [found = "", type = ""] = typePattern.exec(text) ?? [];
  return { rest: text.slice(0, text.length - found.length), type: type === "" || type === "latest" ? null : type };
}

function decode(part: string, typed: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw wrong(typed, `"${part}" is no valid part of an address`);
  }
}

function checkId(id: string, typed: string): string {
  if (!isHubId(id)) throw wrong(typed, `"${id}" is no name of a model`);
  return id;
}

function checkRevision(revision: string | undefined, typed: string): string | null {
  if (revision === undefined) return null;
  if (!revisionPattern.test(revision)) throw wrong(typed, `"${revision}" is no branch, tag or commit`);
  return revision;
}

function wrong(typed: string, problem: string): HubError {
  const shown = typed.includes("://") ? withoutQuery(typed.replace(/[?#].*$/s, "")) : typed;
  return new HubError(
    "address",
    `"${shown}" cannot be looked up: ${problem}; give a model of the hub such as org/name or org/name@revision, or the address of a .gguf or .safetensors file there.`,
  );
}
