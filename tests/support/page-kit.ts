/** Small helpers for tests of the page in a browser. */
import axe from "axe-core";
import { afterEach, expect, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import type { Desk } from "../../src/ui/actions/desk";
import { type Step, stepOf, type steps } from "../../src/ui/stores/route";
import { strings } from "../../src/ui/strings";
import type { CallName, DataOptions, ErrorData } from "../../src/worker/protocol";
import { createFakeClient, type FakeClient, type FakeOptions } from "./fake-client";
import { type Mounted, mountStudio } from "./mount";

/** Milliseconds: a machine with much to do is slow. */
const patience = 20_000;

/**
 * Mounts the page over a fake client and takes it down after each test: to be called once, at the top of a file, with the
 * step that its tests begin at. Where that is null, the address says it.
 */
export function fakeStudio(step: Step | null = null) {
  let mounted: Mounted | null = null;
  afterEach(() => {
    mounted?.unmount();
    mounted = null;
    vi.restoreAllMocks();
  });
  return {
    open(options: FakeOptions = {}, environment: Parameters<typeof mountStudio>[1] = {}, at = step): FakeClient {
      const client = createFakeClient(options);
      mounted = mountStudio(client, environment, at);
      return client;
    },
    desk(): Desk {
      if (mounted === null) throw new TypeError("nothing is mounted");
      return mounted.desk;
    },
  };
}

export const refusal = (message: string, code: ErrorData["code"] = "bad-input"): ErrorData => ({
  code,
  message,
  data: {},
});

export const button = (name: string | RegExp) => page.getByRole("button", { name });

export const trainSample = () => page.getByRole("button", { name: "Train the sample" });

export const stepLink = (step: (typeof steps)[number]) =>
  page
    .getByRole("navigation", { name: strings.frame.steps })
    .getByRole("link", { name: new RegExp(`^${strings.frame.titles[step]}`) });

/** What the step bar says of a step, such as "Needs WebGPU". */
export const stepState = (step: (typeof steps)[number]): string =>
  stepLink(step).element().querySelector(".step-state")?.textContent ?? "";

/** Waits until the step is there, which is fetched when it is first shown. */
export const shown = (step: Step): Promise<void> =>
  expect
    .poll(() => document.querySelector(`#${step} h2`)?.checkVisibility() === true, {
      message: `${step} is shown`,
      timeout: patience,
    })
    .toBe(true);

/** To another step by the step bar. */
export async function go(step: (typeof steps)[number]): Promise<void> {
  await stepLink(step).click();
  await shown(step);
}

/** Waits until the step is there and the sample can be trained: model open, dataset read. */
export async function whenReady(): Promise<void> {
  const step = stepOf(location.hash) ?? "start";
  await shown(step);
  if (step === "try" || step === "library") {
    // No main button there; the step bar tells the same.
    for (const before of ["model", "data"] as const) await expect.element(stepLink(before)).toHaveClass("done");
  } else await expect.element(trainSample()).toBeEnabled();
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

export const dropLabel = "Drop files anywhere, or choose them";

export const jsonl = (name: string): File => new File(['{"text":"a"}\n'], name);

export async function upload(label: string, files: File | File[]): Promise<void> {
  const input = document.querySelector<HTMLInputElement>(`input[type=file][aria-label="${label}"]`);
  if (input === null) throw new TypeError(`no file input "${label}"`);
  await userEvent.upload(input, files);
}

/** A file of one's own takes the sample's place. */
export async function ownFile(): Promise<void> {
  await whenReady();
  await upload(dropLabel, jsonl("notes.jsonl"));
  await seen("notes.jsonl, 13 B");
}

/** That the text can be seen, apart from the step bar, which says much of it again in short. */
export const seen = (text: string | RegExp): Promise<void> =>
  expect
    .poll(
      () =>
        page
          .getByText(text)
          .elements()
          .some((element) => element.closest(".steps") === null && isVisible(element)),
      { message: `${text} is seen`, timeout: patience },
    )
    .toBe(true);

const isVisible = (element: Element): boolean =>
  element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;

/** The inputs of all calls of one name, in order. */
export const inputs = (client: FakeClient, call: CallName): unknown[] =>
  client.calls.filter((made) => made.call === call).map(({ input }) => input);

/** The options of the look made last. */
export const expectOptions = (client: FakeClient, options: Partial<DataOptions>): Promise<void> =>
  expect.poll(() => inputs(client, "inspectDataset").at(-1)).toMatchObject({ data: { options } });
