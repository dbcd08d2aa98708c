export * from "./directory.ts";
export * from "./sessions.ts";
export * from "./shard.ts";
