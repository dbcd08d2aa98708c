/**
 * A room as it is shared with other relays: what they are told of the clients that are connected here, and what clients are told
 * while the other relays cannot be heard.
 */
import type { StateUpdate } from "../../awareness/audience/index.ts";
import type { RoomMessages } from "../messages/room-messages.ts";
import type { Member } from "../ports/member.ts";
import { control } from "../ports/packet.ts";
import type { Flusher } from "./flush/flusher.ts";
import type { Observers, StatesOutlet } from "./observers.ts";
import type { Readers } from "./readers.ts";

export interface SharingSetup {
  /** Of the room, as they come and go. */
  readonly members: ReadonlySet<Member>;
  readonly observers: Observers;
  readonly readers: Readers;
  readonly messages: RoomMessages;
  readonly flusher: Flusher;
}

export class RoomSharing {
  readonly #setup: SharingSetup;
  #outlet: StatesOutlet | null = null;
  #isPartial = false;
  /** All members know of it, and not only those who came since. */
  #isToldToAll = false;

  constructor(setup: SharingSetup) {
    this.#setup = setup;
  }

  /** Hands on to other relays what changes of the clients that are connected here; null: nothing any more. */
  set outlet(outlet: StatesOutlet | null) {
    const { observers, readers, messages } = this.#setup;
    this.#outlet = outlet;
    observers.outlet = outlet;
    readers.outlet = outlet;
    messages.outlet = outlet && ((message) => outlet.message(message));
  }

  /**
   * Whether other relays cannot be heard: what is shown of their people may be old. [BUS-20]
   *
   * @param isForAll false: nobody was seen to be here through other relays, so only those who come from now on are told
   */
  setPartial(isPartial: boolean, isForAll = true): void {
    const isNews = isPartial ? isForAll && !this.#isToldToAll : this.#isPartial;
    this.#isPartial = isPartial;
    this.#isToldToAll = isPartial && (isForAll || this.#isToldToAll);
    if (isNews) for (const member of this.#setup.members) this.#tellPartial(member);
  }

  /** Tells a newcomer if other relays cannot be heard. */
  greet(member: Member): void {
    if (this.#isPartial) this.#tellPartial(member);
  }

  /** The states of clients that are connected here, as other relays are told them. */
  ownStates(): readonly StateUpdate[] {
    const { flusher, observers } = this.#setup;
    // what waits is told first, so that what follows builds on this
    flusher.flushNow();
    return observers.own();
  }

  /** Gives the clients that are connected here new clocks, since observers elsewhere remember the old ones. [BUS-7] */
  renewOwn(): void {
    this.#setup.observers.renewAll();
    this.#setup.flusher.schedule();
  }

  /** Goes on above a clock that observers on another relay were told. [BUS-8] */
  raise(id: number, clock: number): void {
    this.#setup.observers.raise(id, clock);
    this.#setup.flusher.schedule();
  }

  /** The document has something new that another relay has sent. */
  taken(update: Uint8Array, relay: unknown): void {
    this.#outlet?.taken(update, relay);
  }

  /** Clients' questions for the document wait, until `releaseDocument`: other relays may have more of it. [BUS-12] */
  holdDocument(): void {
    this.#setup.readers.hold();
  }

  releaseDocument(): void {
    this.#setup.readers.release();
  }

  #tellPartial(member: Member): void {
    if (member.kind === "native") member.send(control({ kind: "world", partial: this.#isPartial }));
  }
}
