/** The page loads the style sheets of the Mantine components that it uses, and no others. */
import { describe, expect, it } from "vitest";
import { importedSheets, mantineStyleFaults } from "./mantine-styles";
import { readSources } from "./sources";

const sources = readSources(["src/ui"], [".ts", ".tsx"]);
const page = sources.find(({ path }) => path === "src/ui/styles/mantine.ts");
const button = [{ path: "a.tsx", text: 'import { Button } from "@mantine/core";' }];
const needed = ["baseline", "default-css-variables", "global", "UnstyledButton", "Loader", "Button"];

describe("Mantine's style sheets", () => {
  it("are those of the components in use, in Mantine's order", () => {
    const imported = importedSheets(page?.text ?? "");
    expect(imported.length).toBeGreaterThan(5);
    expect(mantineStyleFaults(sources, imported)).toEqual([]);
  });

  it("a component's own parts count", () => {
    expect(mantineStyleFaults(button, needed)).toEqual([]);
  });

  it("a missing sheet, one too many and a wrong order are named", () => {
    const without = needed.filter((name) => name !== "Loader");
    expect(mantineStyleFaults(button, without)).toEqual([
      "src/ui/styles/mantine.ts lacks Loader.css; add it in its place.",
    ]);
    expect(mantineStyleFaults(button, [...needed, "Tabs"])).toEqual([
      "src/ui/styles/mantine.ts imports Tabs.css, which no component in use needs; take it out.",
    ]);
    expect(mantineStyleFaults(button, [...without, "Loader"])).toEqual([
      "src/ui/styles/mantine.ts imports Loader.css later than Mantine has it; sheets override those before them.",
    ]);
  });

  it("a part that hangs on a component counts where it is drawn", () => {
    const drawn = [{ path: "a.tsx", text: 'import { Checkbox } from "@mantine/core"; const c = Checkbox.Card;' }];
    const faults = mantineStyleFaults(drawn, []).join(" ");
    expect(faults).toContain("CheckboxCard.css");
    expect(faults).not.toContain("CheckboxIndicator.css");
  });

  it("other packages of Mantine bring the components that they use", () => {
    const drop = [{ path: "a.tsx", text: 'import { Dropzone } from "@mantine/dropzone";' }];
    expect(mantineStyleFaults(drop, []).join(" ")).toContain("LoadingOverlay.css");
  });
});
