/** Before all else that a worker loads: lib0 keeps the `Date.now` that it finds. */
export { realNow } from "./clock.ts";
