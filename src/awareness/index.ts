export * from "./author.ts";
export * from "./change.ts";
export * from "./entry.ts";
export * from "./limits.ts";
export { StateMemory } from "./memory.ts";
export * from "./register.ts";
export type { RemoteOutcome, RemoteState } from "./remote.ts";
export { stampField, withField } from "./publish.ts";
