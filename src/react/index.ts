"use client";

/** React bindings: rosters, rooms and the own status as hooks. The directive above is for React Server Components. [REACT-3] */
export { usePresenceClient } from "./client.ts";
export { type Broadcast, useBroadcast, useMessages } from "./messages.ts";
export { PresenceProvider, type PresenceProviderProps, usePresence } from "./provider.tsx";
export type { Meta, Register, RoomMeta } from "./register.ts";
export { useRoom } from "./room.ts";
export { type UsersSource, useConnectionStatus, useLobby, useOthers, useRefusal, useSelf, useUsers } from "./roster.ts";
export { type Equal, shallowEqual } from "./select.ts";
export { useStatus } from "./status.ts";
export { useCount, useUser, useUserIds, useWatch } from "./watch.ts";
export { useCanWrite } from "./write.ts";
