/**
 * A roster over any Awareness, of whatever provider (y-webrtc, Hocuspocus, y-websocket, our own): no relay of ours is
 * needed.
 */
import type { Awareness } from "y-protocols/awareness";
import { type JsonObject, type Claim, type Unsubscribe, readState, withSession } from "../../presence/index.ts";
import { type ProviderNews, type StatusProvider, followProvider, newsOf } from "./binding.ts";
import { type Roster, type RosterStatus, RosterStore } from "./roster.ts";

export interface TrackOptions {
  /** What `roomId` of events says. Default `room`. */
  readonly roomId?: string;
  /**
   * At first. Default: as `provider` says; without one `live`, since an Awareness does not say whether its provider is
   * connected. See `setStatus`.
   */
  readonly status?: RosterStatus;
  /**
   * The provider of the Awareness, which is listened to: `stale` while it is not connected, and those who vanish
   * meanwhile (y-websocket and Hocuspocus forget everybody when they lose their server) are kept as `reconnecting`, until
   * the provider is back and `graceMs` are over.
   */
  readonly provider?: StatusProvider;
  /**
   * How long those who vanished with the connection have to return once it is back, ms. Default 20 000: it takes y-websocket
   * up to 18 s to show people again that it has forgotten.
   */
  readonly graceMs?: number;
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

/** Follows an Awareness; what it holds already is the first snapshot. [ROSTER-8] */
export function trackAwareness<Meta = JsonObject>(
  awareness: Awareness,
  options: TrackOptions = {},
): TrackedRoster<Meta> {
  const { provider } = options;
  if (provider === undefined) return new AwarenessRoster<Meta>(awareness, options);
  return new ProviderRoster<Meta>(awareness, provider, options);
}

export class AwarenessRoster<Meta> extends RosterStore<Meta> implements TrackedRoster<Meta> {
  protected readonly awareness: Awareness;
  readonly #connectionOf: (clientId: number) => ConnectionNote | undefined;
  /** What was read of each client last, and from what. */
  readonly #last = new Map<number, { readonly said: readonly unknown[]; readonly claim: Claim<Meta> }>();

  constructor(awareness: Awareness, options: TrackOptions = {}) {
    super(options.roomId ?? "room");
    this.awareness = awareness;
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
    this.awareness.off("change", this.#onChange);
    this.clear();
  }

  readonly #onChange = (change: AwarenessChange): void => this.changed(change);

  protected changed({ added, updated, removed }: AwarenessChange): void {
    this.refresh([...added, ...updated, ...removed]);
  }

  /** A client's state is there no more. */
  protected gone(id: number, _claim: Claim<Meta>, lastSeen: number): void {
    this.people.delete(id, lastSeen);
  }

  #read(id: number): void {
    const state = this.awareness.states.get(id);
    const note = this.#connectionOf(id);
    const isSelf = id === this.awareness.clientID;
    const said = [state?.["user"], state?.["copresence"], state?.["name"], state?.["color"], note?.mark];
    const last = this.#last.get(id);
    const isSame = state !== undefined && last?.said.every((part, i) => part === said[i]);
    // a cursor that moves says nothing new of its user; the own state may have been changed in place
    if (isSame && !isSelf) return;
    const claim = readState<Meta>(id, state, this.roomId);
    if (claim === null) {
      this.#last.delete(id);
      return last && this.gone(id, last.claim, note?.lastSeen ?? Date.now());
    }
    this.#last.set(id, { said, claim });
    if (isSelf) this.people.selfId = claim.user.id;
    this.people.set(id, note === undefined ? claim : withSession(claim, SAID[note.mark]));
  }
}

/** A provider that is connected, and does not say that it is in sync, is taken for it after so long, ms. */
const SETTLE_MS = 2_000;
const DEFAULT_GRACE_MS = 20_000;

/** Follows an Awareness whose provider says how it fares. */
class ProviderRoster<Meta> extends AwarenessRoster<Meta> {
  readonly #graceMs: number;
  readonly #stop: Unsubscribe;
  /** Who vanished while the provider was down, and when, ms since the epoch. */
  readonly #held = new Map<number, number>();
  #isUp: boolean;
  #isDestroyed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(awareness: Awareness, provider: StatusProvider, options: TrackOptions) {
    const news = newsOf(provider);
    super(awareness, { status: news === "synced" ? "live" : "connecting", ...options });
    this.#graceMs = options.graceMs ?? DEFAULT_GRACE_MS;
    this.#isUp = news !== "down";
    this.#stop = followProvider(provider, (next) => this.#hear(next));
    if (news !== "down" && this.status !== "live") this.#settle();
  }

  override destroy(): void {
    this.#isDestroyed = true;
    clearTimeout(this.#timer);
    this.#stop();
    super.destroy();
  }

  /** Follows what the provider says of its connection. [TRACK-1] */
  #hear(news: ProviderNews): void {
    this.#isUp = news !== "down";
    if (news === "down") {
      clearTimeout(this.#timer);
      this.flush(this.synced ? "stale" : "connecting");
    } else if (this.status !== "live") {
      if (news === "up") this.#settle();
      else this.#live();
    }
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#live(), SETTLE_MS);
  }

  #live(): void {
    clearTimeout(this.#timer);
    this.flush("live");
    if (this.#held.size > 0) this.#timer = setTimeout(() => this.#release(), this.#graceMs);
  }

  protected override changed(change: AwarenessChange): void {
    const { removed } = change;
    if (!this.#isUp || removed.length === 0) return super.changed(change);
    super.changed({ ...change, removed: [] });
    // [TRACK-2] a provider may forget everybody before it says that it is down: by the end of the turn it has
    queueMicrotask(() => {
      if (!this.#isDestroyed) this.refresh(removed);
    });
  }

  /** A user whose state vanishes while the provider is down may return with it, and is kept. [TRACK-2] */
  protected override gone(id: number, claim: Claim<Meta>, lastSeen: number): void {
    if (this.#isUp || id === this.awareness.clientID) return super.gone(id, claim, lastSeen);
    this.#held.set(id, lastSeen);
    this.people.set(id, withSession(claim, { reconnecting: true }));
  }

  /** Lets go of the users that are held and have not returned. [TRACK-3] */
  #release(): void {
    for (const [id, lastSeen] of this.#held) if (!this.awareness.states.has(id)) this.people.delete(id, lastSeen);
    this.#held.clear();
    this.flush();
  }
}

/** What a note says of a session. */
const SAID = { reconnecting: { reconnecting: true }, silent: { status: "away" }, clear: {} } as const;
