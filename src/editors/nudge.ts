import type { Awareness } from "y-protocols/awareness";

/**
 * Tells bindings of everyone who is there, as if they had moved: for those that draw nobody until somebody does. Call it
 * when the editor is mounted. Nothing is sent.
 */
export function nudge(awareness: Awareness): void {
  const others = [...awareness.getStates().keys()].filter((clientId) => clientId !== awareness.clientID);
  // [EDIT-5]
  if (others.length > 0) awareness.emit("change", [{ added: [], updated: others, removed: [] }, "nudge"]);
}
