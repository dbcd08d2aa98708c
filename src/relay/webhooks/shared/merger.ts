/**
 * Makes one story of what several relays tell of who comes and goes: somebody is in a room or lobby while at least one relay
 * says so. It knows only what it was told, and sends nothing. [HOOK-21]
 */
import { departed } from "../../../presence/index.ts";
import type { IdentifiedEvent } from "../../ports/event-sink.ts";
import { visitOf } from "../message.ts";
import type { Report } from "./report.ts";

/** So long nobody is said to have left whom no relay names: another relay may be about to, ms. [HOOK-21] */
const SETTLE_MS = 1_000;

interface Visit {
  /** Which relays say that the user is here. */
  readonly relays: Set<string>;
  /** What was last heard of the user, and by which event the user came. */
  latest: IdentifiedEvent;
  readonly firstId: string;
  /** When to say that the user has left, monotonic ms; null: a relay names the user. */
  endsAt: number | null;
}

export class Merger {
  readonly #visits = new Map<string, Visit>();
  /** The visits that each relay names, and those to each room. */
  readonly #byRelay = new Map<string, Set<string>>();
  readonly #byRoom = new Map<string, Set<string>>();
  /** Visits that relays have not named again since they began to tell all. */
  readonly #doubtful = new Map<string, Set<string>>();
  /** The visits whose ends are waited for. */
  readonly #ending = new Set<string>();

  /** The relays that say that somebody is here. */
  get relays(): Iterable<string> {
    return this.#byRelay.keys();
  }

  /** All who are here, by the event with which something was last heard of them. */
  *here(): Generator<readonly [visit: string, event: IdentifiedEvent]> {
    for (const [visit, { latest }] of this.#visits) yield [visit, latest];
  }

  /** Takes a report. Returns what happened by it. @param now monotonic ms */
  take(report: Report, now: number): readonly IdentifiedEvent[] {
    switch (report.type) {
      case "event":
      case "here":
        return this.#takeEvent(report.relay, report.event, now);
      case "begin":
        this.#doubtful.set(report.relay, new Set(this.#byRelay.get(report.relay)));
        return [];
      case "end":
        for (const visit of this.#doubtful.get(report.relay) ?? []) this.#withdraw(visit, report.relay, now);
        this.#doubtful.delete(report.relay);
        return [];
      case "closed":
        for (const visit of this.#byRoom.get(report.roomId) ?? []) this.#withdraw(visit, report.relay, now);
        return [];
      case "edited":
        return [];
    }
  }

  /** Forgets all that a relay said: it is gone. */
  drop(relay: string, now: number): void {
    this.#doubtful.delete(relay);
    for (const visit of this.#byRelay.get(relay) ?? []) this.#withdraw(visit, relay, now);
  }

  /** Those who have left by now. @param wall now, ms since the epoch */
  ended(now: number, wall: number): readonly IdentifiedEvent[] {
    const ended: IdentifiedEvent[] = [];
    for (const visit of this.#ending) {
      const known = this.#visits.get(visit);
      if (known?.endsAt === null || known === undefined) this.#ending.delete(visit);
      else if (known.endsAt <= now) {
        this.#ending.delete(visit);
        this.#visits.delete(visit);
        remove(this.#byRoom, known.latest.roomId, visit);
        ended.push(leaveOf(known, wall));
      }
    }
    return ended;
  }

  #takeEvent(relay: string, event: IdentifiedEvent, now: number): readonly IdentifiedEvent[] {
    const visit = visitOf(event.roomId, event.user.id);
    this.#doubtful.get(relay)?.delete(visit);
    const known = this.#visits.get(visit);
    if (event.type === "leave") {
      if (known?.relays.has(relay) === true) known.latest = event;
      this.#withdraw(visit, relay, now);
      return [];
    }
    add(this.#byRelay, relay, visit);
    if (known === undefined) {
      add(this.#byRoom, event.roomId, visit);
      this.#visits.set(visit, { relays: new Set([relay]), latest: event, firstId: event.id, endsAt: null });
      return [joinOf(event)];
    }
    known.relays.add(relay);
    known.endsAt = null;
    if (known.latest.type === "leave") known.latest = event;
    // [HOOK-21] each relay tells of a change: it is passed on once
    const [first] = [...known.relays].toSorted();
    if (event.type !== "update" || relay !== first) return [];
    known.latest = event;
    return [event];
  }

  #withdraw(visit: string, relay: string, now: number): void {
    const known = this.#visits.get(visit);
    remove(this.#byRelay, relay, visit);
    if (known === undefined || !known.relays.delete(relay) || known.relays.size > 0) return;
    known.endsAt = now + SETTLE_MS;
    this.#ending.add(visit);
  }
}

function add(index: Map<string, Set<string>>, key: string, visit: string): void {
  const visits = index.get(key) ?? new Set();
  index.set(key, visits.add(visit));
}

function remove(index: Map<string, Set<string>>, key: string, visit: string): void {
  const visits = index.get(key);
  if (visits?.delete(visit) === true && visits.size === 0) index.delete(key);
}

function joinOf(event: IdentifiedEvent): IdentifiedEvent {
  const { id, userId, roomId, user, status, metadata, timestamp } = event;
  return { type: "join", id, userId, roomId, user, status, metadata, timestamp };
}

/** What says that somebody has left: what a relay said, or else that no relay names the user any more. */
function leaveOf({ latest, firstId }: Visit, wall: number): IdentifiedEvent {
  if (latest.type === "leave") return latest;
  const { userId, roomId } = latest;
  const user = departed(latest.user, wall);
  return {
    type: "leave",
    id: `${firstId}-end`,
    userId,
    roomId,
    user,
    status: user.status,
    metadata: user.meta,
    timestamp: wall,
  };
}
