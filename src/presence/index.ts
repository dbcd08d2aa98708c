export * from "./activity.ts";
export * from "./color.ts";
export * from "./emitter.ts";
export * from "./equal.ts";
export * from "./people.ts";
export * from "./roster.ts";
export * from "./state.ts";
export * from "./user.ts";
