export { CursorLimiter } from "./cursors.ts";
export { Echoes } from "./echoes.ts";
export { NativeAudience } from "./native.ts";
export { WholeStates } from "./stock.ts";
export { type StateUpdate, Updates, nudges, previewed, withNudges } from "./updates.ts";
