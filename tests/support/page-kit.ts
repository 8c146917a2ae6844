/** Small helpers for tests of the page in a browser. */
import axe from "axe-core";
import { expect } from "vitest";
import { page } from "vitest/browser";

export const button = (name: string | RegExp) => page.getByRole("button", { name });

export const trainSample = () => page.getByRole("button", { name: "Train the sample" });

/** Waits until the sample can be trained: model open, dataset read. */
export async function whenReady(): Promise<void> {
  await expect.element(trainSample()).toBeEnabled();
}

/** "rule: element, element" for each violation of the usual WCAG 2.1 A and AA rules and axe's best practices. */
export async function violations(): Promise<string[]> {
  const { violations: found } = await axe.run(document.body);
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
}

/** What still spins: anything marked busy, and bars without an end. */
export const spinning = (): string[] =>
  [...document.querySelectorAll('[aria-busy="true"], [data-animated="true"], [data-loading="true"]')].map((element) =>
    element.outerHTML.slice(0, 120),
  );
