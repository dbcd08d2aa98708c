/**
 * The clock of the simulations of several relays. It is imported before anything that keeps a reference to `Date.now`; what is
 * simulated is imported with `import()` after it.
 */
import v8 from "node:v8";
import { runInThisContext } from "node:vm";
import { VirtualClock } from "../clock.ts";
import { installRandom } from "../random.ts";

/** Real, also once the clock is installed. */
export const inMacrotask: typeof setImmediate = setImmediate;
export const clock: VirtualClock = new VirtualClock();

clock.install();
installRandom();
// stores and buses answer by promises: what awaits them runs in the name of the relay that asked
v8.setFlagsFromString("--allow-natives-syntax");
clock.settle = runInThisContext("() => %PerformMicrotaskCheckpoint()") as () => void;
