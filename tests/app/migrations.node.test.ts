/** Stored records: versions without gaps, old ones brought up to date, newer and damaged ones refused in words. */
import { describe, expect, it } from "vitest";
import { currentVersion, type Migration, migrations, upgrade } from "../../src/worker/storage/record";

const steps: readonly Migration[] = [
  { to: 2, why: "test", summary: (value) => `${String(value)}→2`, payload: (value) => value, log: () => "log" },
  { to: 3, why: "test", summary: (value) => `${String(value)}→3`, payload: (value) => value, log: (value) => value },
];

describe("migrations", () => {
  it("are numbered from 2 without gaps, each with its reason", () => {
    expect(migrations.map(({ to }) => to)).toEqual(migrations.map((_, index) => index + 2));
    for (const { why } of migrations) expect(why).not.toBe("");
    expect(currentVersion).toBe(1 + migrations.length);
  });

  it("run in order from the record's own version", () => {
    expect(upgrade("summary", "r", { version: 1, value: "a" }, steps)).toBe("a→2→3");
    expect(upgrade("summary", "r", { version: 2, value: "a" }, steps)).toBe("a→3");
    expect(upgrade("summary", "r", { version: 3, value: "a" }, steps)).toBe("a");
    expect(upgrade("payload", "r", { version: 1, value: "a" }, steps)).toBe("a");
    expect(upgrade("log", "r", { version: 1, value: "a" }, steps)).toBe("log");
  });

  it("take the log out of the payload of version 1", () => {
    const payload = { version: 1, value: { base: "b", adapter: "a", chatTemplate: null, log: [1, 2] } };
    expect(upgrade("payload", "r", payload)).toEqual({ base: "b", adapter: "a", chatTemplate: null });
    expect(upgrade("log", "r", payload)).toEqual([1, 2]);
    expect(upgrade("log", "r", { version: 2, value: [3] })).toEqual([3]);
  });

  it("refuse a record of a newer version", () => {
    expect(() => upgrade("summary", "jade-owl-3", { version: 4, value: "a" }, steps)).toThrow(
      /jade-owl-3 was written by a newer Tabtune/,
    );
  });

  it.each([[undefined], [null], [1], [{}], [{ version: "1", value: 1 }], [{ version: 0, value: 1 }], [{ version: 1 }]])(
    "refuse %j as damaged",
    (stored) => {
      expect(() => upgrade("payload", "r", stored, steps)).toThrow(/damaged/);
    },
  );
});
