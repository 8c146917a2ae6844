// @ts-check
/** `npm start`: the studio on http://localhost:5173, opened in a browser where there is a desktop. */
import path from "node:path";
import { runCommand } from "./lib/errors.mjs";
import { root } from "./lib/paths.mjs";
import { setup } from "./setup.mjs";

const hasDesktop =
  process.platform === "darwin" ||
  process.platform === "win32" ||
  Boolean(process.env["DISPLAY"] || process.env["WAYLAND_DISPLAY"]);

await runCommand(async () => {
  await setup();
  const { createServer } = await import("vite");
  const server = await createServer({
    root,
    configFile: path.join(root, "vite.config.ts"),
    logLevel: "warn",
    server: { open: hasDesktop && !process.env["CI"] },
  });
  await server.listen();
  const address = server.resolvedUrls?.local[0] ?? "http://localhost:5173/";
  process.stdout.write(`Tabtune is at ${address} (Ctrl-C ends it)\n`);
});
