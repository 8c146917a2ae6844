// @ts-check
/** One line of progress on stderr: redrawn on a terminal, at most one new line a second elsewhere. */

const barWidth = 24;

/** @param {number} seconds */
export function formatDuration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/**
 * @param {number} done
 * @param {number} total
 */
export function formatBar(done, total) {
  const filled = total > 0 ? Math.round((Math.min(done, total) / total) * barWidth) : 0;
  return `[${"=".repeat(filled)}${" ".repeat(barWidth - filled)}]`;
}

/**
 * @param {{ isTTY?: boolean, columns?: number, write(text: string): unknown }} [stream]
 * @param {() => number} [now] Milliseconds.
 */
export function progressLine(stream = process.stderr, now = Date.now) {
  let drawn = false;
  let lastAt = Number.NEGATIVE_INFINITY;
  return {
    /** Whether there is room for a bar. */
    isBar: stream.isTTY === true,
    /**
     * Shows the state of things. `key: true` marks a line that must not be dropped where lines are rationed.
     * @param {string} text
     * @param {{ key?: boolean }} [options]
     */
    show(text, { key = false } = {}) {
      if (stream.isTTY) {
        stream.write(`\r${text.slice(0, (stream.columns || 80) - 1)}\x1b[K`);
        drawn = true;
      } else if (key || now() - lastAt >= 1000) {
        stream.write(`${text}\n`);
        lastAt = now();
      }
    },
    /** Ends the redrawn line, so that what follows stands on its own. */
    end() {
      if (drawn) stream.write("\n");
      drawn = false;
    },
    /** @param {string} text A line that stays. */
    say(text) {
      this.end();
      stream.write(`${text}\n`);
    },
  };
}

/**
 * Turns a training's events into progress lines.
 * @param {ReturnType<typeof progressLine>} line
 * @param {() => number} [now] Milliseconds.
 */
export function trainingProgress(line, now = Date.now) {
  /** The last steps' tokens and the time they took: the first steps also pay for the pipelines. */
  const recent = /** @type {{ tokens: number, at: number }[]} */ ([]);
  let phase = "";
  return {
    /** @param {import("../../src/worker/protocol").ProgressEvent} event */
    phase(event) {
      const share = event.total > 0 ? ` ${Math.floor((100 * event.done) / event.total)} %` : "";
      line.show(`${event.phase}${share}`, { key: event.phase !== phase });
      phase = event.phase;
    },
    start() {
      recent.push({ tokens: 0, at: now() });
    },
    /** @param {{ step: number, steps: number, loss: number, tokens: number }} event */
    step({ step, steps, loss, tokens }) {
      recent.push({ tokens, at: now() });
      if (recent.length > 33) recent.shift();
      const [first] = recent;
      const seconds = first ? Math.max(now() - first.at, 1) / 1000 : 0;
      const perSecond = recent.slice(1).reduce((sum, entry) => sum + entry.tokens, 0) / seconds;
      const eta = ((steps - step) * seconds) / (recent.length - 1);
      const numbers = `loss ${loss.toFixed(4)}  ${Math.round(perSecond)} tokens/s  ETA ${formatDuration(eta)}`;
      const bar = line.isBar ? `${formatBar(step, steps)} ` : "";
      line.show(`${bar}step ${step}/${steps}  ${numbers}`, { key: step === steps });
    },
  };
}
