// @ts-check
/** Ctrl-C: the first asks the work to stop and save, the second ends the process. */

/** npm hands a Ctrl-C on to a process that the terminal has told already, so two within this time are one. */
const sameKeyPressMs = 700;

/**
 * @param {() => void} onStop
 * @returns {() => void} Takes the handlers off.
 */
export function onInterrupt(onStop) {
  let firstAt = 0;
  const handle = () => {
    if (firstAt === 0) {
      firstAt = Date.now();
      onStop();
    } else if (Date.now() - firstAt > sameKeyPressMs) process.exit(1);
  };
  process.on("SIGINT", handle);
  process.on("SIGTERM", handle);
  return () => {
    process.off("SIGINT", handle);
    process.off("SIGTERM", handle);
  };
}
