/** A dialog lies over the page. */
export const covered = (): boolean =>
  [...document.querySelectorAll<HTMLElement>('[aria-modal="true"]')].some((dialog) => dialog.checkVisibility());
