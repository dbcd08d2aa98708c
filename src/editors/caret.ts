import type { Awareness } from "y-protocols/awareness";
import { type Unsubscribe, asRecord } from "../presence/index.ts";
import { type CaretUser, caretUserOf } from "./user.ts";

/** The CSS classes of a caret and its label. */
export interface CaretClasses {
  /** Default: `ProseMirror-yjs-cursor`, as y-prosemirror's. */
  readonly caret?: string;
  /** Default: none. */
  readonly label?: string;
}

export interface CaretBuilder {
  /**
   * Makes the caret of a client: y-prosemirror's `cursorBuilder`, Tiptap's `render`, BlockNote's `renderCursor`.
   *
   * @param user the user as the editor has it
   * @param clientId Tiptap and BlockNote give none: the client is then found by the user's `id`, or else by name and colour
   */
  readonly build: (user: object, clientId?: number) => HTMLElement;
  /**
   * Follows renames no more, until another caret is made. It need not be called: a builder whose carets nobody holds any more
   * stops by itself, and with the awareness, as when a room is left.
   */
  readonly stop: Unsubscribe;
}

/**
 * Makes carets whose labels follow renames. y-prosemirror and what is built on it draw a caret once for each client, and
 * keep the first name.
 */
export function caretBuilder(awareness: Awareness, classes: CaretClasses = {}): CaretBuilder {
  const { caret: caretClass = "ProseMirror-yjs-cursor", label: labelClass } = classes;
  /** The carets of each client. BlockNote shows one again that it had taken away: forgotten are those that nobody holds. */
  const carets = new Map<number, readonly WeakRef<HTMLElement>[]>();
  const caretsOf = (clientId: number): readonly HTMLElement[] =>
    (carets.get(clientId) ?? []).flatMap((each) => each.deref() ?? []);
  const shownOf = (clientId: number): number => caretsOf(clientId).filter(({ isConnected }) => isConnected).length;

  let isListening = false;
  const onChange = ({ added, updated }: { readonly added: readonly number[]; readonly updated: readonly number[] }) => {
    for (const clientId of carets.keys()) if (caretsOf(clientId).length === 0) carets.delete(clientId);
    if (carets.size === 0) return unlisten();
    // [EDIT-3]
    for (const clientId of [...added, ...updated]) {
      const user = caretUserOf(clientId, awareness.getStates().get(clientId));
      if (awareness.getStates().has(clientId)) for (const caret of caretsOf(clientId)) paint(caret, user);
    }
  };
  // [EDIT-15] a caret that is made starts the builder again: React's StrictMode stops what is in use
  const listen = (): void => {
    if (!isListening) awareness.on("change", onChange);
    isListening = true;
  };
  const unlisten = (): void => {
    awareness.off("change", onChange);
    isListening = false;
  };
  return {
    build(user, clientId) {
      listen();
      const caret = document.createElement("span");
      caret.className = caretClass;
      const label = document.createElement("div");
      if (labelClass !== undefined) label.className = labelClass;
      // word joiners keep the line from breaking at the caret
      caret.append("\u2060", label, "\u2060");
      // [EDIT-14] of several clients of one user, the one with the fewest carets on the page
      const client = clientId ?? clientsOf(awareness, user).toSorted((a, b) => shownOf(a) - shownOf(b))[0];
      if (client !== undefined)
        carets.set(
          client,
          [...caretsOf(client), caret].map((each) => new WeakRef(each)),
        );
      const state = client === undefined ? undefined : awareness.getStates().get(client);
      paint(caret, caretUserOf(client ?? 0, state ?? { user }));
      return caret;
    },
    stop() {
      unlisten();
      carets.clear();
    },
  };
}

function paint(caret: HTMLElement, { name, color }: CaretUser): void {
  const label = caret.querySelector("div");
  if (label === null) return;
  caret.style.borderColor = color;
  label.style.backgroundColor = color;
  // the same text again would be a change to those who watch the element
  if (label.textContent !== name) label.textContent = name;
}

/** The other clients that a user may be: those with the same id, or where there is none with the same name and colour. */
function clientsOf(awareness: Awareness, user: object): readonly number[] {
  // [EDIT-13]
  const { id, name, color } = asRecord(user);
  return [...awareness.getStates()]
    .filter(([clientId, state]) => {
      if (clientId === awareness.clientID) return false;
      const other = asRecord(state["user"]);
      return id === undefined ? other["name"] === name && other["color"] === color : other["id"] === id;
    })
    .map(([clientId]) => clientId);
}
