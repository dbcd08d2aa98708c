export * from "./author.ts";
export * from "./entry.ts";
export * from "./register.ts";
export { stampField, withField } from "./publish.ts";
export { CursorLimiter } from "./audience/cursors.ts";
export { Echoes } from "./audience/echoes.ts";
export { NativeAudience } from "./audience/native.ts";
export { WholeStates } from "./audience/stock.ts";
export { type StateUpdate, Updates, nudges } from "./audience/updates.ts";
