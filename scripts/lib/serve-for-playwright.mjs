// @ts-check
/** Playwright's global set-up: browser, dist/ from the current sources, and a server for it. Resolves with the tear-down. */
import { setup } from "../setup.mjs";
import { ensureBuilt } from "./build-dist.mjs";
import { distDir } from "./paths.mjs";
import { serveStatic } from "./static-server.mjs";

export default async function serveForPlaywright() {
  await setup({ browser: true });
  await ensureBuilt();
  const server = await serveStatic(distDir);
  process.env["TABTUNE_URL"] = server.url;
  return () => server.close();
}
