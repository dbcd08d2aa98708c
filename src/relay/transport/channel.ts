/** A link in one room: a member of the room. Whatever concerns the whole socket is asked of the link. */
import type { Echoing, Kind } from "../../awareness/index.ts";
import type { RoomAccess } from "../ports/access.ts";
import type { Member } from "../ports/member.ts";
import type { Packet } from "../ports/packet.ts";

/** What a channel needs of its link. */
export interface ChannelLink {
  readonly kind: Kind;
  readonly address: string;
  /** The page at the other end has said nothing for long. */
  readonly silent: boolean;
  readonly lastSeen: number;
  readonly channels: readonly Channel[];
  /** Whether the other end does not read what it is sent. @param answers it says now and then that it reads */
  isLagging(answers: boolean): boolean;
  send(packet: Packet, channel: { readonly name: string }): void;
  cork(): void;
  uncork(): void;
  charge(ms: number): void;
  /** Ends one channel; the link goes on, if its other end can be told so. */
  closeChannel(channel: Channel, code: number, reason: string): void;
}

export class Channel implements Member {
  access: RoomAccess;
  answers: boolean;
  readonly echoing: Echoing;
  /** The name of the channel in messages; the empty text where a link has one channel alone. */
  readonly name: string;
  readonly #link: ChannelLink;
  /** The questions that the other end has asked once, as bits: their first answers are what every newcomer is told. */
  #asked = 0;

  constructor(link: ChannelLink, access: RoomAccess, name: string, echoing: Echoing) {
    this.#link = link;
    this.access = access;
    this.name = name;
    this.echoing = echoing;
    this.answers = link.kind === "native";
  }

  get kind(): Kind {
    return this.#link.kind;
  }

  get address(): string {
    return this.#link.address;
  }

  get silent(): boolean {
    return this.#link.silent;
  }

  get lastSeen(): number {
    return this.#link.lastSeen;
  }

  get lagging(): boolean {
    return this.#link.isLagging(this.answers);
  }

  get companions(): readonly Channel[] {
    return this.#link.channels;
  }

  send(packet: Packet): void {
    this.#link.send(packet, this);
  }

  cork(): void {
    this.#link.cork();
  }

  uncork(): void {
    this.#link.uncork();
  }

  charge(ms: number): void {
    this.#link.charge(ms);
  }

  close(code: number, reason: string): void {
    this.#link.closeChannel(this, code, reason);
  }

  /** Whether the other end asks this question for the first time. @param question one bit */
  asksFirst(question: number): boolean {
    const isFirst = (this.#asked & question) === 0;
    this.#asked |= question;
    return isFirst;
  }
}
