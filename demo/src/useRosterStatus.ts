import type { Room, RosterStatus } from "copresence";
import { useCallback, useSyncExternalStore } from "react";

/** Whether a room's roster can be trusted just now. */
export function useRosterStatus(room: Room | null): RosterStatus {
  const subscribe = useCallback((listener: () => void) => room?.roster.subscribe(listener) ?? (() => {}), [room]);
  return useSyncExternalStore(subscribe, () => room?.roster.status ?? "connecting");
}
