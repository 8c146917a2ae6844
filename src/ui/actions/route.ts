/** Follows the address: links, back and forward, and what is typed there. */

import { goTo } from "../go-to";
import type { Field } from "../stores/recipe-form";
import { hashOf, stepOf } from "../stores/route";
import type { Desk } from "./desk";

/** Returns what ends it. */
export function watchRoute({ stores: { route } }: Desk): () => void {
  const follow = (): void => {
    const step = stepOf(location.hash);
    if (step === null) {
      // "#/" and a word that is no step: an old or mistyped link. Other hashes are not ours to judge.
      if (location.hash.startsWith("#/")) location.replace(hashOf("start"));
      return;
    }
    route.setState((state) => (state.step === step ? state : { ...state, step, turns: state.turns + 1 }));
  };
  follow();
  window.addEventListener("hashchange", follow);
  return () => window.removeEventListener("hashchange", follow);
}

/** To a setting that is wrong. */
export function goToField({ stores: { route } }: Desk, field: Field): void {
  route.setState({ field });
  goTo("train");
}
