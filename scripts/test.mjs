// @ts-check
/**
 * `npm test`: every check and test, from the linter to the browser. Stops at the first part that fails, says what did
 * not run and ends with "N passed, N failed". `npm test -- ops` passes its arguments to vitest and runs only that.
 */
import { runCommand } from "./lib/errors.mjs";
import { setup } from "./setup.mjs";

/** @param {string} line */
const print = (line) => process.stdout.write(`${line}\n`);

await runCommand(async () => {
  await setup({ browser: true });
  const { testParts } = await import("./lib/test-parts.mjs");
  const parts = testParts(process.argv.slice(2));
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  for (const [idx, part] of parts.entries()) {
    print(`\n=== ${part.name} (${idx + 1} of ${parts.length}) ===`);
    const start = Date.now();
    /** @type {Awaited<ReturnType<typeof part.run>>} */
    let result;
    try {
      result = await part.run();
    } catch (error) {
      print(error instanceof Error ? error.message : String(error));
      result = { ok: false };
    }
    const { ok, counts = { passed: 0, failed: 0, skipped: 0 } } = result;
    passed += counts.passed;
    skipped += counts.skipped;
    // A part that fails without a failed test (a lint, a crash) is one failure.
    failed += ok ? counts.failed : Math.max(counts.failed, 1);
    print(`--- ${part.name}: ${ok ? "ok" : "FAILED"}, ${((Date.now() - start) / 1000).toFixed(1)} s`);
    if (!ok || counts.failed > 0) {
      const left = parts.slice(idx + 1).map(({ name }) => name);
      if (left.length > 0) print(`\nNOT RUN because ${part.name} failed: ${left.join(", ")}`);
      break;
    }
  }
  if (skipped > 0) print(`\n${skipped} tests were SKIPPED; their reasons stand above.`);
  print("");
  print(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
});
