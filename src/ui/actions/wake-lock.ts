/** Keeps the screen on while a run is under way, and takes the lock again when the tab comes back to the front. */

export function keepAwake(): { release: () => void } {
  let released = false;
  let lock: WakeLockSentinel | null = null;
  async function take(): Promise<void> {
    if (released || document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    try {
      const taken = await navigator.wakeLock.request("screen");
      if (released) await taken.release();
      else lock = taken;
    } catch {
      // A low battery or a policy refuses it; training goes on all the same.
    }
  }
  const onVisible = (): void => void take();
  document.addEventListener("visibilitychange", onVisible);
  void take();
  return {
    release() {
      released = true;
      document.removeEventListener("visibilitychange", onVisible);
      void lock?.release().catch(() => undefined);
    },
  };
}
