/**
 * Peers on their way in: what the relay tells of their states and connections, put into the Awareness. The relay's word is
 * taken as it comes, and nobody is expired here.
 */
import type { Awareness } from "y-protocols/awareness";
import { equal, readState } from "../../presence/index.ts";
import { type Fields, type Mark, type MarkEntry, type StateDelta, StatesReader, json, text } from "../../wire/index.ts";

/** What is known of a client's connection, other than its state. */
export interface Marked {
  readonly mark: Mark;
  /** When it was last known to be alive, ms since the epoch. */
  readonly lastSeen: number;
}

/** What the relay is told of the own state. */
interface Own {
  /** The relay gave this client up, but it lives. */
  tellAnew(): void;
  /** Whether this client has announced itself under the id on this connection. */
  isOwn(id: number): boolean;
}

/** The origin of changes in the Awareness. */
export type Origin = object;

export class Inbound {
  readonly #awareness: Awareness;
  readonly #origin: Origin;
  readonly #outbound: Own;
  readonly #onMarked: (ids: Ids) => void;
  #reader = new StatesReader();
  readonly #marks = new Map<number, Marked>();
  /** Marks from before the connection was lost that the relay has not repeated. */
  #doubtful = new Set<number>();
  /** Peers from before the connection was lost that the relay has not named since. */
  readonly #held = new Set<number>();
  /** What the relay tells of client ids that this client takes for its own: they may turn out to be somebody else's. */
  readonly #own = new Map<number, StateDelta>();
  /** All who are there have been told on this connection. */
  #isWhole = false;
  /** The client is connected again: peers whom the relay does not name may have lost it as we did, and may yet return. */
  holds = false;
  /** When the relay was last heard before the connection was lost, ms since the epoch. */
  lostContactAt = 0;

  /** @param onMarked told when what is known of these clients' connections changed */
  constructor(awareness: Awareness, origin: Origin, outbound: Own, onMarked: (ids: Ids) => void) {
    this.#awareness = awareness;
    this.#origin = origin;
    this.#outbound = outbound;
    this.#onMarked = onMarked;
  }

  markOf(id: number): Marked | undefined {
    if (this.#held.has(id)) return { mark: "reconnecting", lastSeen: this.lostContactAt };
    return this.#marks.get(id);
  }

  isHeld(id: number): boolean {
    return this.#held.has(id);
  }

  /** A new connection: the relay begins anew. */
  opened(): void {
    this.#isWhole = false;
    this.#reader = new StatesReader();
    this.#own.clear();
    this.#doubtful = new Set(this.#marks.keys());
  }

  /** The connection is lost. Peers stay as they were. [ROSTER-5] [ROSTER-6] */
  lost(at: number): void {
    // of a connection that brought nothing it cannot be said that contact was made
    if (this.#isWhole) {
      this.lostContactAt = at;
      this.holds = true;
    }
    this.#isWhole = false;
  }

  /** Takes a message of states. Returns whether it is the first on this connection: then it holds everybody. */
  take(payload: Uint8Array): boolean {
    const isFirst = !this.#isWhole;
    this.#apply(this.#reader.read(payload), isFirst);
    return isFirst;
  }

  /** An id that this client took for its own is somebody else's, who is shown from now on. */
  disown(id: number): void {
    const told = this.#own.get(id);
    this.#own.delete(id);
    if (told !== undefined) this.#apply([told], false);
  }

  mark(marks: readonly MarkEntry[]): void {
    for (const [id, mark, lastSeen] of marks) {
      this.#doubtful.delete(id);
      if (mark === "clear") this.#marks.delete(id);
      else this.#marks.set(id, { mark, lastSeen });
    }
    this.#emitMarks(marks.map(([id]) => id));
  }

  /** All marks that hold have been repeated. */
  dropDoubtful(): void {
    const dropped = [...this.#doubtful].filter((id) => this.#marks.delete(id));
    this.#doubtful.clear();
    this.#emitMarks(dropped);
  }

  /** Gives up the peers that are held and have not returned. [ROSTER-6] */
  release(): void {
    this.holds = false;
    for (const id of this.#held) this.#marks.set(id, { mark: "reconnecting", lastSeen: this.lostContactAt });
    this.#announce(this.#drop([...this.#held]));
  }

  /** Takes out everybody. */
  clear(): void {
    this.#announce(this.#drop(this.#peersBut(new Set())));
  }

  #apply(told: readonly StateDelta[], isFirst: boolean): void {
    const { states, meta, clientID } = this.#awareness;
    const added: number[] = [];
    const updated: number[] = [];
    const changed: number[] = [];
    const removed: number[] = [];
    const returned: number[] = [];
    for (const each of told) {
      const { id, fields, before } = each;
      // isOwn: also an id that this client had until lately, and has taken back
      if (id === clientID || this.#outbound.isOwn(id)) {
        if (fields !== null) this.#own.set(id, each);
        else {
          this.#own.delete(id);
          // a mark that was told of it before is nobody's any more
          if (this.#marks.delete(id)) returned.push(id);
          if (id === clientID && states.has(id)) this.#outbound.tellAnew();
        }
        continue;
      }
      if (fields === null) {
        // the relay gave them up, perhaps just before we came back; they may have lost it as we did, and may return [ROSTER-6]
        if (this.holds && this.markOf(id)?.mark === "reconnecting" && states.has(id)) {
          this.#marks.delete(id);
          this.#held.add(id);
        } else removed.push(...this.#drop([id]));
        continue;
      }
      if (this.#held.delete(id)) returned.push(id);
      const previous = states.get(id);
      const next = valueOf(fields, before, previous);
      // the relay expires who is gone: here nobody grows old
      meta.set(id, { clock: (meta.get(id)?.clock ?? 0) + 1, lastUpdated: Infinity });
      (previous === undefined ? added : updated).push(id);
      if (previous !== undefined && equal(previous, next)) continue;
      states.set(id, next);
      if (previous !== undefined) changed.push(id);
    }
    this.#isWhole = true;
    const missing = isFirst ? this.#peersBut(new Set(told.map(({ id }) => id))) : [];
    for (const id of missing) this.#held.add(id);
    removed.push(...this.#takeReturned(added));
    this.#announce(removed, added, updated, changed);
    this.#emitMarks([...returned, ...missing].filter((id) => states.has(id)));
  }

  /** The peers that are here and are not among those named. */
  #peersBut(named: ReadonlySet<number>): number[] {
    const { states, clientID } = this.#awareness;
    return [...states.keys()].filter((id) => id !== clientID && !named.has(id));
  }

  /** Takes out the held peers whose session is back under a new id: their page was loaded again. */
  #takeReturned(added: readonly number[]): number[] {
    if (this.#held.size === 0 || added.length === 0) return [];
    const back = new Set(added.map((id) => this.#sessionOf(id)));
    return this.#drop([...this.#held].filter((id) => back.has(this.#sessionOf(id))));
  }

  /** Takes peers out, for the caller to announce. */
  #drop(ids: readonly number[]): number[] {
    return ids.filter((id) => {
      this.#held.delete(id);
      this.#awareness.meta.delete(id);
      return this.#awareness.states.delete(id);
    });
  }

  #sessionOf(id: number): string {
    const claim = readState(id, this.#awareness.states.get(id), "");
    return JSON.stringify([claim?.user.id, claim?.session.id]);
  }

  #emitMarks(ids: readonly number[]): void {
    if (ids.length > 0) this.#onMarked(ids);
  }

  /** As y-protocols announces: `change` when something is different, `update` when something was said. */
  #announce(removed: Ids, added: Ids = [], updated: Ids = [], changed: Ids = []): void {
    const differs = added.length + changed.length + removed.length > 0;
    if (differs) this.#awareness.emit("change", [{ added, updated: changed, removed }, this.#origin]);
    if (differs || updated.length > 0) this.#awareness.emit("update", [{ added, updated, removed }, this.#origin]);
    for (const id of removed) this.#marks.delete(id);
  }
}

type Ids = readonly number[];

/** A state, with the values that did not change as they were. */
function valueOf(fields: Fields, before: Fields, previous: object | undefined): Record<string, unknown> {
  const known = previous as Record<string, unknown> | undefined;
  return Object.fromEntries(
    [...fields].map(([name, bytes]) => [
      name,
      known !== undefined && before.get(name) === bytes ? known[name] : json(text(bytes), Infinity),
    ]),
  );
}
