/** From one step of the page to another: into view, with the focus on its heading. */

export function goTo(section: "model" | "train" | "try"): void {
  const element = document.getElementById(section);
  if (element === null) return;
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  element.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  element.querySelector<HTMLElement>("h2")?.focus({ preventScroll: true });
}
