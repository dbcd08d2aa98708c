/**
 * The own state on its way out: what the relay holds of it, and what it is told next.
 */
import type { Awareness } from "y-protocols/awareness";
import { Ticker } from "../../util/ticker.ts";
import {
  type Entry,
  type Fields,
  type SessionChange,
  isPatched,
  joinFields,
  patchFrame,
  statesUpdateFrame,
  withSession,
  writePatch,
} from "../../wire/index.ts";
import type { Announcement, AnnouncedRoom } from "./announcement.ts";
import { DEFAULT_LIMITS, type StateLimits, fit, sizeOf } from "./fit.ts";

/** The connection that the state goes out on. */
export interface Outlet {
  send(frame: Uint8Array): void;
  /** Tells the relay that the page lives, though there is nothing else to say. */
  keepAlive(): void;
  /** Something was sent: a relay that has said nothing for long is asked whether it hears. */
  doubt(): void;
}

/** What the relay holds of the own state. */
interface SentState {
  readonly id: number;
  readonly clock: number;
  /** In its order. */
  readonly fields: Fields;
}

/** Shortest time between two frames with the own state, ms. */
const SEND_MS = 33;
const NOTHING: Fields = new Map();

export class Outbound implements AnnouncedRoom {
  readonly #awareness: Awareness;
  readonly #outlet: Outlet;
  readonly #announcement: Announcement;
  readonly #onRefused: (field: string, why: string) => void;
  readonly #ticker = new Ticker(
    () => SEND_MS,
    () => this.#send(),
  );
  /** Nothing is said before the relay has greeted. */
  #isGreeted = false;
  /** On this connection; null: nothing yet. */
  #sent: SentState | null = null;
  /** The relay may not hold what it was told. */
  #isForgotten = false;
  /** The ids under which the state was told on this connection. */
  readonly #ids = new Set<number>();
  /** What went out last, on whatever connection: a field that cannot go out keeps its value of then. */
  #last: Fields = NOTHING;
  #limits = DEFAULT_LIMITS;
  /** A larger state was refused, whatever the relay says that it takes, bytes. */
  #ceiling = Infinity;
  /** The fields that are not sent as they are, each told of once. */
  #refused: ReadonlyMap<string, string> = new Map();

  constructor(
    awareness: Awareness,
    outlet: Outlet,
    announcement: Announcement,
    onRefused: (field: string, why: string) => void,
  ) {
    this.#awareness = awareness;
    this.#outlet = outlet;
    this.#announcement = announcement;
    this.#onRefused = onRefused;
    announcement.rooms.add(this);
    awareness.on("update", this.#onUpdate);
  }

  get limits(): StateLimits {
    return this.#limits;
  }

  /** A new connection: nothing is told on it. */
  opened(): void {
    this.#isGreeted = false;
    this.#sent = null;
    this.#ids.clear();
  }

  /** Whether the state was told under this id on this connection. */
  isOwn(id: number): boolean {
    return this.#ids.has(id);
  }

  /** The relay has greeted, and said what it takes: the state is told, with a clock that nobody has seen. */
  greeted(limits: Partial<StateLimits>): void {
    const { maxState = DEFAULT_LIMITS.maxState, maxMeta = DEFAULT_LIMITS.maxMeta } = limits;
    // what went out before is looked at again
    if (maxState < this.#limits.maxState || maxMeta < this.#limits.maxMeta) this.#last = NOTHING;
    this.#limits = { maxState, maxMeta };
    this.#isGreeted = true;
    this.tellAnew();
  }

  /** Tells the state with a clock that nobody has seen: the relay may have given this client up. */
  tellAnew(): void {
    const local = this.#awareness.getLocalState();
    if (local !== null) this.#awareness.setLocalState(local);
    this.tell();
  }

  /** Tells the whole state now, whatever the relay may know. */
  tell(): void {
    this.#isForgotten = true;
    this.#ticker.run();
  }

  /** Sends what is still to be said of the own state now. */
  flush(): void {
    this.#ticker.hurry();
  }

  /** The client id that was told is somebody else's: nothing is to be taken back. */
  disown(id: number): void {
    this.#ids.delete(id);
    if (this.#sent?.id === id) this.#sent = null;
  }

  /** Says that the client leaves. */
  leave(): void {
    if (!this.#isGreeted) return;
    this.#outlet.send(statesUpdateFrame([{ id: this.#awareness.clientID, clock: this.#clock, state: null }]));
    this.#sent = null;
  }

  /**
   * [CLIENT-4] The relay closed the connection for something too large. Returns whether that may have been the state: then
   * the next connection is told less. A message that was too large is none of a state: those are far smaller.
   */
  tooLarge(reason: string): boolean {
    if (this.#sent === null || reason.startsWith("message")) return false;
    this.#ceiling = sizeOf(this.#sent.fields) - 1;
    return true;
  }

  /** The application has changed what it says: it is tried whole again. */
  retry(): void {
    this.#ceiling = Infinity;
  }

  /** Works out what the relay holds here once it has made a change of the session. */
  afterChange(change: SessionChange): (() => void) | null | undefined {
    const sent = this.#sent;
    if (sent === null) return undefined;
    const fields = withSession(sent.fields, change);
    if (sizeOf(fields) > this.#most) return null;
    return () => {
      this.#sent = { ...sent, fields };
      this.#last = fields;
    };
  }

  stop(): void {
    this.#announcement.rooms.delete(this);
    this.#ticker.stop();
    this.#awareness.off("update", this.#onUpdate);
  }

  readonly #onUpdate = (change: { readonly added: Ids; readonly updated: Ids; readonly removed: Ids }): void => {
    const { clientID } = this.#awareness;
    if ([...change.added, ...change.updated, ...change.removed].includes(clientID)) this.#ticker.schedule();
  };

  /**
   * Sends what is new about the own state; or, where nothing is, three bytes that say that the page lives. It is the relay
   * that renews a state for observers that need it.
   */
  #send(): void {
    if (!this.#isGreeted) return;
    this.#announcement.flush();
    const state = this.#awareness.getLocalState();
    const fields = state === null ? null : this.#fit(state);
    const { clientID: id } = this.#awareness;
    const clock = this.#clock;
    const told = this.#sent;
    if (state === null) this.leave();
    else if (fields === null) return this.#outlet.keepAlive();
    else if (told === null || told.id !== id || this.#isForgotten) {
      const entries: Entry[] = [{ id, clock, state: joinFields(fields) }];
      // in one frame, so that nobody sees the session leave, or twice
      if (told !== null && told.id !== id) entries.push({ id: told.id, clock: told.clock, state: null });
      this.#sent = { id, clock, fields };
      this.#isForgotten = false;
      this.#ids.add(id);
      this.#outlet.send(statesUpdateFrame(entries));
    } else if (isPatched(told.fields, fields)) {
      const frame = patchFrame(id, clock, (encoder) => {
        // [SYNC-1] as the relay has them from now on: what was not sent is not remembered as told
        this.#sent = { id, clock, fields: writePatch(encoder, told.fields, fields) };
      });
      this.#outlet.send(frame);
    }
    // answered, which a connection that nothing comes over for so long needs to be believed in
    else return this.#outlet.keepAlive();
    this.#outlet.doubt();
  }

  /** What goes out of the state; null: nothing new. Of what does not, the application is told once. */
  #fit(state: Readonly<Record<string, unknown>>): Fields | null {
    const { maxMeta } = this.#limits;
    const { fields, refused } = fit(state, this.#last, { maxState: this.#most, maxMeta });
    const before = this.#refused;
    this.#refused = refused;
    for (const [field, why] of refused) if (!before.has(field)) this.#onRefused(field, why);
    if (fields !== null) this.#last = fields;
    return fields;
  }

  /** The largest state that goes out, bytes. */
  get #most(): number {
    return Math.min(this.#limits.maxState, this.#ceiling);
  }

  get #clock(): number {
    return this.#awareness.meta.get(this.#awareness.clientID)?.clock ?? 0;
  }
}

type Ids = readonly number[];
