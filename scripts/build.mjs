// @ts-check
/** `npm run build`: a static dist/ that any web server can serve from any path. */
import { ensureBuilt } from "./lib/build-dist.mjs";
import { runCommand } from "./lib/errors.mjs";
import { setup } from "./setup.mjs";

await runCommand(async () => {
  await setup();
  const built = await ensureBuilt({ quiet: false });
  process.stdout.write(built ? "dist/ is ready.\n" : "dist/ is up to date.\n");
});
