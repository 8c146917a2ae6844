/** Says in all tabs that the kept runs have changed. Pages listen; the storage speaks. */

export const runsChannel = "tabtune-runs";

export function announceRuns(): void {
  const channel = new BroadcastChannel(runsChannel);
  channel.postMessage("changed");
  channel.close();
}
