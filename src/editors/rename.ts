import type { Awareness } from "y-protocols/awareness";
import type { Unsubscribe } from "../presence/index.ts";
import { type CaretUser, caretUserOf } from "./user.ts";

/** What y-protocols says of a change. */
interface AwarenessChange {
  readonly added: readonly number[];
  readonly updated: readonly number[];
  readonly removed: readonly number[];
}

/**
 * Tells when somebody else's name or colour is another than it was, for bindings that draw a label once and keep it.
 *
 * @param listener is given the client id of the one who was renamed, and the user as they are now
 */
export function onRename(awareness: Awareness, listener: (clientId: number, user: CaretUser) => void): Unsubscribe {
  const known = new Map<number, string>();
  const take = (clientId: number): boolean => {
    const { name, color, colorLight } = caretUserOf(clientId, awareness.getStates().get(clientId));
    const before = known.get(clientId);
    const now = JSON.stringify([name, color, colorLight]);
    known.set(clientId, now);
    return before !== undefined && before !== now;
  };
  // [EDIT-2]
  const onChange = ({ added, updated, removed }: AwarenessChange): void => {
    for (const clientId of removed) known.delete(clientId);
    for (const clientId of [...added, ...updated]) {
      if (clientId === awareness.clientID || !awareness.getStates().has(clientId)) continue;
      if (take(clientId)) listener(clientId, caretUserOf(clientId, awareness.getStates().get(clientId)));
    }
  };
  for (const clientId of awareness.getStates().keys()) take(clientId);
  awareness.on("change", onChange);
  return () => awareness.off("change", onChange);
}
