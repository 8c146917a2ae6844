/** The texts of the page as something installed. */
export const offlineStrings = {
  ready: "A new version is ready.",
  unkept: "A new version is there, but not all of its files could be kept.",
  how: "Reload to use it; runs, adapters and downloaded models stay.",
  howUnkept: "Reload to use it while there is a connection; runs, adapters and downloaded models stay.",
  later: "It can be loaded when the run has ended.",
  reload: "Reload",
} as const;
