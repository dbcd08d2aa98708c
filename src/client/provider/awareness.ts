/**
 * The Awareness of a room or lobby: that of y-protocols, but it goes by the document's client id, it renews by a clock
 * that nobody sets, and a listener that throws keeps no other from hearing.
 */
import { Awareness } from "y-protocols/awareness";
import type * as Y from "yjs";
import { guarded } from "../../presence/index.ts";
import { monotonic } from "../browser/clock.ts";

/** How often the local state is said to be alive. The relay takes a page for silent that says nothing for 75 s, ms. */
const RENEW_MS = 15_000;

/** What lib0 keeps of the listeners of an Observable. */
type Observers = ReadonlyMap<string, ReadonlySet<(...args: never) => void>>;

/** Tells all listeners of an event, as lib0 does, whatever one of them throws. */
export function emitGuarded(observers: Observers, name: string, args: readonly unknown[]): void {
  // a copy: who comes or goes meanwhile changes the next event
  for (const observer of Array.from(observers.get(name) ?? [])) guarded(() => observer(...(args as never)));
}

/**
 * Has Yjs go on when a listener of a document throws. Else that leaves a transaction behind which never ends, and of all that is
 * written after it nobody is told any more. [CLIENT-1]
 */
export function guardDocument(doc: Y.Doc): void {
  doc.emit = (name: string, args: unknown[]) => emitGuarded(doc._observers, name, args);
}

export class RoomAwareness extends Awareness {
  constructor(doc: Y.Doc) {
    super(doc);
    clearInterval(this._checkInterval as number);
    this._checkInterval = setInterval(() => this.setLocalState(this.getLocalState()), RENEW_MS);
    this.#startClock();
    doc.on("afterTransactionCleanup", this.#follow);
  }

  override emit(name: string, args: unknown[]): void {
    emitGuarded(this._observers, name, args);
  }

  override getLocalState(): Record<string, unknown> | null {
    this.follow();
    return super.getLocalState();
  }

  override setLocalState(state: Record<string, unknown> | null): void {
    this.follow();
    // nothing is removed that is not there
    if (state !== null || super.getLocalState() !== null) super.setLocalState(state);
  }

  override destroy(): void {
    this.doc.off("afterTransactionCleanup", this.#follow);
    super.destroy();
  }

  readonly #follow = (): void => this.follow();

  /**
   * [CLIENT-6] Goes by the client id that the document has now: Yjs gives it another when somebody else writes under the
   * same, and so may the application. Editor bindings take every state but that of `doc.clientID` for somebody else's.
   */
  follow(): void {
    const { clientID } = this.doc;
    const before = this.clientID;
    if (clientID === before) return;
    const state = this.states.get(before);
    this.states.delete(before);
    this.meta.delete(before);
    this.clientID = clientID;
    this.#startClock();
    if (state === undefined) return;
    this.states.set(clientID, state);
    const change = { added: [clientID], updated: [], removed: [before] };
    this.emit("change", [change, "local"]);
    this.emit("update", [change, "local"]);
  }

  /**
   * [SYNC-6] Clocks go on from the time: one who joins again with the same document, or whose page is loaded again with a
   * client id of the application's own, is not behind what others remember.
   */
  #startClock(): void {
    this.meta.set(this.clientID, { clock: Math.floor(performance.timeOrigin + monotonic()), lastUpdated: 0 });
  }
}
