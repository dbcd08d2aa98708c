export * from "./awareness.ts";
export * from "./bytes.ts";
export * from "./close.ts";
export * from "./control.ts";
export * from "./frame.ts";
export * from "./lobby.ts";
export * from "./room.ts";
export * from "./ticker.ts";
