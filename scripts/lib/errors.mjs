// @ts-check
/** How a command ends. No dependencies: set-up needs this before anything is installed. */

/** A command cannot go on; `message` is one sentence for a person. Exit code 2: the arguments or the input are at fault. */
export class CommandError extends Error {
  /**
   * @param {string} message
   * @param {1 | 2} exitCode
   */
  constructor(message, exitCode = 1) {
    super(message);
    this.name = "CommandError";
    this.exitCode = exitCode;
  }
}

/**
 * Runs a command's body and turns whatever it throws into one line on stderr and an exit code.
 * `TABTUNE_DEBUG=1` shows the stack as well.
 * @param {() => Promise<number | void>} body Resolves with the exit code; nothing means 0.
 */
export async function runCommand(body) {
  try {
    process.exitCode = (await body()) ?? 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${message.trim()}\n`);
    if (process.env["TABTUNE_DEBUG"] && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exitCode = error instanceof CommandError ? error.exitCode : 1;
  }
}
