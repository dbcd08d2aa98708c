import { useCallback, useSyncExternalStore } from "react";
import type { Unsubscribe } from "../presence/index.ts";

/** A room, as far as it is asked whether one may write. */
interface Writable {
  readonly canWrite: boolean;
  subscribe(listener: () => void): Unsubscribe;
}

/**
 * Whether what is written to the room's document reaches others: a viewer's editor is better read-only. True until the
 * relay says that it does not, and for null (a room that is not joined yet). [REACT-6]
 */
export function useCanWrite(room: Writable | null): boolean {
  const subscribe = useCallback((listener: () => void) => room?.subscribe(listener) ?? (() => {}), [room]);
  return useSyncExternalStore(subscribe, () => room?.canWrite ?? true, allowed);
}

const allowed = (): boolean => true;
