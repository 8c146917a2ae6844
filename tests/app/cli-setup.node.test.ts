/** Set-up: which Node, which packages, which browser, and one process at a time. */
import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumCandidates, isUsableChromium } from "../../scripts/lib/find-chromium.mjs";
import { withLock } from "../../scripts/lib/lock.mjs";
import { checkNode, packagesAreStale } from "../../scripts/setup.mjs";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tabtune-setup-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("Node's version", () => {
  it.each(["20.19.0", "20.20.2", "22.0.0", "100.1.0"])("%s will do", (version) =>
    expect(() => checkNode(version)).not.toThrow(),
  );
  it.each(["20.18.9", "18.20.0", "4.0.0"])("%s is too old, in one sentence", (version) => {
    expect(() => checkNode(version)).toThrow(
      `Tabtune needs Node 20.19 or newer and this is Node ${version}; install a newer one.`,
    );
  });
});

describe("packages", () => {
  it("are stale when absent, half installed or older than the lockfile", () => {
    const checkout = join(folder, "checkout");
    mkdirSync(join(checkout, "node_modules"), { recursive: true });
    const lockfile = join(checkout, "package-lock.json");
    const installed = join(checkout, "node_modules", ".package-lock.json");
    writeFileSync(lockfile, "{}");
    expect(packagesAreStale(checkout)).toBe(true);
    writeFileSync(installed, "{}");
    utimesSync(lockfile, 1000, 1000);
    utimesSync(installed, 1001, 1001);
    expect(packagesAreStale(checkout)).toBe(false);
    utimesSync(lockfile, 1002, 1002);
    expect(packagesAreStale(checkout)).toBe(true);
  });
});

describe("the browser", () => {
  it("is looked for on the PATH first, by name, then in the usual places", () => {
    const linux = chromiumCandidates("linux", { PATH: "/a:/b" }, "/home/x");
    expect(linux.slice(0, 2)).toEqual(["/a/google-chrome", "/b/google-chrome"]);
    expect(linux).toContain("/b/msedge");
    expect(linux.indexOf("/b/google-chrome")).toBeLessThan(linux.indexOf("/a/chromium"));
    expect(chromiumCandidates("darwin", {}, "/Users/x")).toContain(
      "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    );
    const windows = chromiumCandidates(
      "win32",
      { Path: '"C:\\p q";D:\\r', LOCALAPPDATA: "C:\\L", ProgramFiles: "C:\\P" },
      "C:\\x",
    );
    expect(windows).toContain("C:\\p q\\chrome.exe");
    expect(windows).toContain("C:\\L\\Google\\Chrome\\Application\\chrome.exe");
    expect(windows).toContain("C:\\P\\Microsoft\\Edge\\Application\\msedge.exe");
  });

  it.skipIf(process.platform === "win32")("must start here and be new enough", () => {
    const script = (name: string, body: string): string => {
      const file = join(folder, name);
      writeFileSync(file, `#!/bin/sh\n${body}\n`);
      chmodSync(file, 0o755);
      return file;
    };
    expect(isUsableChromium(script("new", "echo Chromium 156.0.8078.79 built on Debian"))).toBe(true);
    expect(isUsableChromium(script("old", "echo Google Chrome 99.0.1.2"))).toBe(false);
    expect(isUsableChromium(script("stand-in", "echo Please install the snap >&2; exit 1"))).toBe(false);
    expect(isUsableChromium(join(folder, "none"))).toBe(false);
    const plain = join(folder, "plain");
    writeFileSync(plain, "no program");
    expect(isUsableChromium(plain)).toBe(false);
    expect(isUsableChromium(folder)).toBe(false);
  });
});

describe("the lock", () => {
  it("lets four processes count to 40 without losing one", { timeout: 60_000 }, async () => {
    const counter = join(folder, "counter");
    writeFileSync(counter, "0");
    const lock = pathToFileURL(join(import.meta.dirname, "..", "..", "scripts", "lib", "lock.mjs")).href;
    const program = `
      import { readFileSync, writeFileSync } from "node:fs";
      import { withLock } from ${JSON.stringify(lock)};
      const [folder, counter] = process.argv.slice(1);
      for (let i = 0; i < 10; i++) {
        await withLock("count", async () => {
          const value = Number(readFileSync(counter, "utf8"));
          await new Promise((resolve) => setTimeout(resolve, 2));
          writeFileSync(counter, String(value + 1));
        }, { folder });
      }`;
    const codes = await Promise.all(
      Array.from({ length: 4 }, () => {
        const child = spawn(process.execPath, ["--input-type=module", "-e", program, folder, counter], {
          stdio: "inherit",
        });
        return new Promise((resolve) => child.on("close", resolve));
      }),
    );
    expect(codes).toEqual([0, 0, 0, 0]);
    expect(readFileSync(counter, "utf8")).toBe("40");
  });

  it("is taken over when its owner is gone, and given back after an error", async () => {
    const file = join(folder, "orphan.lock");
    // Process ids end far below this one.
    writeFileSync(file, "999999999");
    await expect(withLock("orphan", () => Promise.resolve("mine"), { folder })).resolves.toBe("mine");
    await expect(withLock("orphan", () => Promise.reject(new RangeError("no")), { folder })).rejects.toThrow("no");
    expect(existsSync(file)).toBe(false);
  });
});
