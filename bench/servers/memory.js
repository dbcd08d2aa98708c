// @ts-check
/** Loaded into a server before its own code, with --expose-gc: says over IPC what it uses once garbage is collected. */
process.on("message", () => {
  globalThis.gc?.();
  process.send?.(process.memoryUsage());
});
// a server that has nothing else to wait for may end
process.channel?.unref();
