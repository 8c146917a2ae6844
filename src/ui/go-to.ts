/** To another step of the page, as a link to it would. */
import { hashOf, type Step } from "./stores/route";

export function goTo(step: Step): void {
  location.hash = hashOf(step);
}
