// @ts-check
/** The memory of all processes that this one started, directly or not; on Linux only. */
import fs from "node:fs";

const everyMs = 1_000;

/** @returns {{ peak: () => number | null, stop: () => void }} `peak`: bytes; null where it cannot be measured. */
export function watchMemory() {
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, memoryOfChildren());
  }, everyMs);
  return { peak: () => (peak === 0 ? null : peak), stop: () => clearInterval(timer) };
}

/** Proportional set sizes added up: what several processes share counts once. */
function memoryOfChildren() {
  let bytes = 0;
  const open = childrenOf(String(process.pid));
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    open.push(...childrenOf(pid));
    const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1];
    bytes += 1024 * Number(kilobytes ?? 0);
  }
  return bytes;
}

/** @param {string} pid */
function childrenOf(pid) {
  const tasks = fs.existsSync(`/proc/${pid}/task`) ? readFolder(`/proc/${pid}/task`) : [];
  return tasks.flatMap((task) => read(`/proc/${pid}/task/${task}/children`).split(" ").filter(Boolean));
}

/** @param {string} folder */
function readFolder(folder) {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}

/**
 * A process may end between two looks at it.
 * @param {string} file
 */
function read(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
