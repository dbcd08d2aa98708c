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

export interface Inbound {
  /** The client is connected again: peers whom the relay does not name may have lost it as we did, and may yet return. */
  readonly holds: boolean;
  /** When the relay was last heard before the connection was lost, ms since the epoch. */
  readonly lostContactAt: number;
  markOf(id: number): Marked | undefined;
  /** Whether a peer is only kept because it may return. */
  isHeld(id: number): boolean;
  /** A new connection: the relay begins anew. */
  opened(): void;
  /** The connection is lost. Peers stay as they were. [ROSTER-5] [ROSTER-6] */
  lost(at: number): void;
  /** Takes a message of states. Returns whether it is the first on this connection: then it holds everybody. */
  take(payload: Uint8Array): boolean;
  /** An id that this client took for its own is somebody else's, who is shown from now on. */
  disown(id: number): void;
  mark(entries: readonly MarkEntry[]): void;
  /** All marks that hold have been repeated. */
  dropDoubtful(): void;
  /** Gives up the peers that are held and have not returned. [ROSTER-6] */
  release(): void;
  /** Takes out everybody. */
  clear(): void;
}

/**
 * @param clock turns a monotonic time into a date, as set by the relay that answers now: one that was started anew may have another [TIME-6]
 * @param onMarked told when what is known of these clients' connections changed
 */
export function createInbound(
  awareness: Awareness,
  origin: Origin,
  outbound: Own,
  clock: { at(ms: number): number },
  onMarked: (ids: Ids) => void,
): Inbound {
  let reader = new StatesReader();
  const marks = new Map<number, Marked>();
  /** Marks from before the connection was lost that the relay has not repeated. */
  let doubtful = new Set<number>();
  /** Peers from before the connection was lost that the relay has not named since. */
  const held = new Set<number>();
  /** What the relay tells of client ids that this client takes for its own: they may turn out to be somebody else's. */
  const own = new Map<number, StateDelta>();
  /** All who are there have been told on this connection. */
  let isWhole = false;
  let holds = false;
  /** Monotonic ms. */
  let lostAt = 0;

  function lost(): Marked {
    return { mark: "reconnecting", lastSeen: clock.at(lostAt) };
  }

  function markOf(id: number): Marked | undefined {
    return held.has(id) ? lost() : marks.get(id);
  }

  function apply(told: readonly StateDelta[], isFirst: boolean): void {
    const { states, meta, clientID } = awareness;
    const added: number[] = [];
    const updated: number[] = [];
    const changed: number[] = [];
    const removed: number[] = [];
    const returned: number[] = [];
    for (const each of told) {
      const { id, fields, before } = each;
      // isOwn: also an id that this client had until lately, and has taken back
      if (id === clientID || outbound.isOwn(id)) {
        if (fields !== null) own.set(id, each);
        else {
          own.delete(id);
          // a mark that was told of it before is nobody's any more
          if (marks.delete(id)) returned.push(id);
          if (id === clientID && states.has(id)) outbound.tellAnew();
        }
        continue;
      }
      if (fields === null) {
        // the relay gave them up, perhaps just before we came back; they may have lost it as we did, and may return [ROSTER-6]
        if (holds && markOf(id)?.mark === "reconnecting" && states.has(id)) {
          marks.delete(id);
          held.add(id);
        } else removed.push(...drop([id]));
        continue;
      }
      if (held.delete(id)) returned.push(id);
      const previous = states.get(id);
      const next = valueOf(fields, before, previous);
      // the relay expires who is gone: here nobody grows old
      meta.set(id, { clock: (meta.get(id)?.clock ?? 0) + 1, lastUpdated: Infinity });
      (previous === undefined ? added : updated).push(id);
      if (previous !== undefined && equal(previous, next)) continue;
      states.set(id, next);
      if (previous !== undefined) changed.push(id);
    }
    isWhole = true;
    const missing = isFirst ? peersBut(new Set(told.map(({ id }) => id))) : [];
    for (const id of missing) held.add(id);
    removed.push(...takeReturned(added.concat(updated)));
    announce(removed, added, updated, changed);
    tellMarked([...returned, ...missing].filter((id) => states.has(id)));
  }

  /** The peers that are here and are not among those named. */
  function peersBut(named: ReadonlySet<number>): number[] {
    const { states, clientID } = awareness;
    return [...states.keys()].filter((id) => id !== clientID && !named.has(id));
  }

  /** Takes out the held peers whose session the relay names under another id: their page was loaded again. [OWN-4] */
  function takeReturned(named: readonly number[]): number[] {
    if (held.size === 0) return [];
    const back = new Set(named.map(sessionOf));
    return drop([...held].filter((id) => back.has(sessionOf(id))));
  }

  function sessionOf(id: number): string {
    const claim = readState(id, awareness.states.get(id), "");
    return JSON.stringify([claim?.user.id, claim?.session.id]);
  }

  /** Takes peers out, for the caller to announce. */
  function drop(ids: Iterable<number>): number[] {
    return [...ids].filter((id) => {
      held.delete(id);
      awareness.meta.delete(id);
      return awareness.states.delete(id);
    });
  }

  function tellMarked(ids: Ids): void {
    if (ids.length > 0) onMarked(ids);
  }

  /** As y-protocols announces: `change` when something is different, `update` when something was said. */
  function announce(removed: Ids, added: Ids = [], updated: Ids = [], changed: Ids = []): void {
    const differs = added.length + changed.length + removed.length > 0;
    if (differs) awareness.emit("change", [{ added, updated: changed, removed }, origin]);
    if (differs || updated.length > 0) awareness.emit("update", [{ added, updated, removed }, origin]);
    for (const id of removed) marks.delete(id);
  }

  return {
    get holds() {
      return holds;
    },
    get lostContactAt() {
      return clock.at(lostAt);
    },
    markOf,
    isHeld: (id) => held.has(id),
    opened() {
      isWhole = false;
      reader = new StatesReader();
      own.clear();
      doubtful = new Set(marks.keys());
    },
    lost(at) {
      // of a connection that brought nothing it cannot be said that contact was made
      if (isWhole) {
        lostAt = at;
        holds = true;
      }
      isWhole = false;
    },
    take(payload) {
      const isFirst = !isWhole;
      apply(reader.read(payload), isFirst);
      return isFirst;
    },
    disown(id) {
      const told = own.get(id);
      own.delete(id);
      if (told !== undefined) apply([told], false);
    },
    mark(entries) {
      for (const [id, mark, lastSeen] of entries) {
        doubtful.delete(id);
        if (mark === "clear") marks.delete(id);
        else marks.set(id, { mark, lastSeen });
      }
      tellMarked(entries.map(([id]) => id));
    },
    dropDoubtful() {
      const dropped = [...doubtful].filter((id) => marks.delete(id));
      doubtful.clear();
      tellMarked(dropped);
    },
    release() {
      holds = false;
      for (const id of held) marks.set(id, lost());
      announce(drop(held));
    },
    clear: () => announce(drop(peersBut(new Set()))),
  };
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
