import type { Soon } from "../../util/ticker.ts";

/** When all that has come in is read: what comes at the same time on many sockets is one turn. */
export const immediate: Soon = (run) => {
  const handle = setImmediate(run);
  return () => clearImmediate(handle);
};
