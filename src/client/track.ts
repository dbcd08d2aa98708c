/**
 * A roster over any Awareness, whoever provides it (y-webrtc, Hocuspocus, y-websocket, our own): no relay of ours is
 * needed.
 */
import type { Awareness } from "y-protocols/awareness";
import { type JsonObject, type Claim, readState, withSession } from "../presence/index.ts";
import { type Roster, type RosterStatus, RosterStore } from "./roster.ts";

export interface TrackOptions {
  /** What `roomId` of events says. Default `room`. */
  readonly roomId?: string;
  /** Default `live`: an Awareness does not say whether its provider is connected. See `setStatus`. */
  readonly status?: RosterStatus;
  /** What else is known of a client's connection. */
  readonly connectionOf?: (clientId: number) => ConnectionNote | undefined;
}

/** What a relay may know of a connection beyond its state. */
export interface ConnectionNote {
  readonly mark: "reconnecting" | "silent" | "clear";
  /** When it was last known to be alive, ms since the epoch. */
  readonly lastSeen: number;
}

export interface TrackedRoster<Meta = JsonObject> extends Roster<Meta> {
  /** Tells the roster how its provider fares; the first time `live` is the moment of `synced`. */
  setStatus(status: RosterStatus): void;
  /** Stops following the Awareness. */
  destroy(): void;
}

interface AwarenessChange {
  readonly added: readonly number[];
  readonly updated: readonly number[];
  readonly removed: readonly number[];
}

/** Follows an Awareness; what it holds already is the first snapshot. */
export function trackAwareness<Meta = JsonObject>(
  awareness: Awareness,
  options: TrackOptions = {},
): TrackedRoster<Meta> {
  return new AwarenessRoster<Meta>(awareness, options);
}

export class AwarenessRoster<Meta> extends RosterStore<Meta> implements TrackedRoster<Meta> {
  readonly #awareness: Awareness;
  readonly #connectionOf: (clientId: number) => ConnectionNote | undefined;
  /** What the claim of each client was read from last. */
  readonly #last = new Map<number, readonly unknown[]>();

  constructor(awareness: Awareness, options: TrackOptions = {}) {
    super(options.roomId ?? "room");
    this.#awareness = awareness;
    this.#connectionOf = options.connectionOf ?? (() => undefined);
    for (const id of awareness.states.keys()) this.#read(id);
    this.flush(options.status ?? "live");
    awareness.on("change", this.#onChange);
  }

  /** Reads these clients anew, for what `connectionOf` says of them has changed. */
  refresh(clientIds: readonly number[]): void {
    for (const id of clientIds) this.#read(id);
    this.flush();
  }

  setStatus(status: RosterStatus): void {
    this.flush(status);
  }

  destroy(): void {
    this.#awareness.off("change", this.#onChange);
    this.clear();
  }

  readonly #onChange = ({ added, updated, removed }: AwarenessChange): void => {
    this.refresh([...added, ...updated, ...removed]);
  };

  #read(id: number): void {
    const state = this.#awareness.states.get(id);
    const note = this.#connectionOf(id);
    const isSelf = id === this.#awareness.clientID;
    const said = [state?.["user"], state?.["copresence"], state?.["name"], state?.["color"], note?.mark];
    const isSame = state !== undefined && this.#last.get(id)?.every((part, i) => part === said[i]);
    // a cursor that moves says nothing new of its user; the own state may have been changed in place
    if (isSame && !isSelf) return;
    const claim = readState<Meta>(id, state, this.roomId);
    if (claim === null) {
      this.#last.delete(id);
      return this.people.delete(id, note?.lastSeen ?? Date.now());
    }
    this.#last.set(id, said);
    if (isSelf) this.people.selfId = claim.user.id;
    this.people.set(id, noted(claim, note));
  }
}

function noted<Meta>(claim: Claim<Meta>, note: ConnectionNote | undefined): Claim<Meta> {
  switch (note?.mark) {
    case "reconnecting":
      return withSession(claim, { reconnecting: true });
    case "silent":
      return withSession(claim, { status: "away" });
    case "clear":
    case undefined:
      return claim;
  }
}
