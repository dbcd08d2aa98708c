export * from "./aggregator.ts";
export * from "./shard.ts";
