import type { Awareness } from "y-protocols/awareness";
import { asRecord } from "../presence/index.ts";
import { caretUserOf } from "./user.ts";
import { viewOf } from "./view.ts";

/**
 * An awareness for y-codemirror.next, which takes two carets of one colour for the same: it shows a new name only with a
 * new colour, and people of one colour share a label. In this one each client has a colour text of its own, which changes
 * with the name: a CSS comment says whose it is. Whatever is said to it is said to the awareness that was given.
 */
export function distinctCarets(awareness: Awareness): Awareness {
  const getStates = (): Map<number, Record<string, unknown>> => {
    const states = new Map(awareness.getStates());
    for (const [clientId, state] of states) states.set(clientId, { ...state, user: distinct(clientId, state) });
    return states;
  };
  return viewOf(awareness, { getStates });
}

/** [EDIT-6] */
function distinct(clientId: number, state: Record<string, unknown>): object {
  const { name, color, colorLight } = caretUserOf(clientId, state);
  // somebody else chose this name: as numbers, it ends neither the comment nor the attribute
  const mark = `/*${clientId} ${Array.from(name, (letter) => letter.codePointAt(0)).join(" ")}*/`;
  return { ...asRecord(state["user"]), name, color: `${color}${mark}`, colorLight: `${colorLight}${mark}` };
}
