/** The texts of the page as something installed. */
export const offlineStrings = {
  ready: "A new version is ready.",
  how: "Reload to use it; runs, adapters and downloaded models stay.",
  later: "It can be loaded when the run has ended.",
  reload: "Reload",
} as const;
