// @ts-check
/**
 * Trains a short adapter on the embedded model and lets real PEFT load it and compare its logits with ours
 * (tests/golden/check_adapter.sh). Where Python's packages cannot be installed it says so, loudly, and lets go.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { CommandError, runCommand } from "./lib/errors.mjs";
import { root } from "./lib/paths.mjs";
import { run } from "./lib/process.mjs";

/** What check_adapter.sh answers where its packages cannot be installed. */
const notInstallable = 77;

await runCommand(async () => {
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "tabtune-peft-"));
  try {
    const adapter = path.join(temporary, "adapter");
    const probe = path.join(temporary, "probe.json");
    const finetune = path.join(root, "scripts", "finetune.mjs");
    const trained = await run(process.execPath, [finetune, "--steps", "4", "--out", adapter, "--probe", probe], {
      stdio: "inherit",
    });
    if (trained !== 0) throw new CommandError("The PEFT check could not train its adapter.");
    const script = path.join(root, "tests", "golden", "check_adapter.sh");
    const model = path.join(root, "public", "models", "tabtune-tiny");
    const code = await run("bash", [script, "--model", model, "--adapter", adapter, "--probe", probe], {
      stdio: "inherit",
    });
    if (code === notInstallable) {
      process.stdout.write("The exported adapter was NOT checked with PEFT; the block above says why.\n");
    } else if (code !== 0)
      throw new CommandError("PEFT does not agree with the studio about the adapter; its output is above.");
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
});
