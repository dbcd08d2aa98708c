/** Other relays as members of a room of this one: what they are told, and by whom they speak. */
import type { Kind } from "../../awareness/index.ts";
import {
  type Entry,
  EMPTY_STATE_VECTOR,
  type Frame,
  awarenessFrame,
  decodeEntries,
  decodeFrame,
  encodeEntries,
} from "../../wire/index.ts";
import { openAccess } from "../access/grants.ts";
import type { Room } from "../core/room.ts";
import type { RoomAccess } from "../ports/access.ts";
import type { Member } from "../ports/member.ts";
import type { Packet } from "../ports/packet.ts";

/** Limits of what one relay tells another: it has checked what its clients say. */
const ANY = { maxStateBytes: Infinity, maxEntries: Infinity };

/** What both kinds have in common: a relay is no tab. It is not slow, does not fall silent, and says nothing back. */
abstract class RelayMember implements Member {
  readonly kind: Kind = "relay";
  readonly echoing = "never";
  readonly silent = false;
  readonly lagging = false;
  readonly address: string;
  readonly access: RoomAccess;
  answers = false;
  lastSeen: number;

  constructor(relay: string, lobby: string, now: number) {
    this.address = `relay:${relay}`;
    this.access = openAccess(lobby);
    this.lastSeen = now;
  }

  abstract send(packet: Packet): void;

  cork(): void {}

  uncork(): void {}

  charge(): void {}

  close(): void {}
}

/** Hears all that happens in a room, and hands on what is this relay's own to tell. */
export class Publisher extends RelayMember {
  readonly #room: Room;
  readonly #publish: (frame: Uint8Array) => void;
  /** The ids that the others were told of. */
  readonly #told = new Set<number>();

  constructor(relay: string, lobby: string, room: Room, now: number, publish: (frame: Uint8Array) => void) {
    super(relay, lobby, now);
    this.#room = room;
    this.#publish = publish;
  }

  /** What it asks the room for, so as to be told of the document. */
  static readonly question: Frame = { type: "syncStep1", stateVector: EMPTY_STATE_VECTOR };

  send({ message }: Packet): void {
    const frame = decodeFrame(message);
    switch (frame.type) {
      case "syncStep2":
      case "update":
        return this.#publish(message);
      case "awareness": {
        const own = decodeEntries(frame.payload, ANY).filter((entry) => this.#isOwn(entry));
        if (own.length > 0) this.#publish(awarenessFrame(encodeEntries(own)));
        return;
      }
      case "syncStep1":
      case "denied":
      case "queryAwareness":
      case "control":
      case "states":
      case "patch":
        return;
    }
  }

  #isOwn({ id, state }: Entry): boolean {
    if (state === null) return this.#told.delete(id);
    if (this.#room.register.get(id)?.isRemote !== false) return false;
    this.#told.add(id);
    return true;
  }
}

/** Speaks in a room for all who are connected to another relay. It is told by the bus, not by the room. */
export class RemoteRelay extends RelayMember {
  send(): void {}
}
