/**
 * The channels of a link of ours: its client asks for them on channel 0, the doorkeeper says which rooms it is let in to, and the
 * token of the link is that of all its channels.
 */
import {
  Close,
  type Control,
  type Frame,
  FrameError,
  KEEP_ALIVE_FRAME,
  LINK_CHANNEL,
  type OpenRequest,
  type SessionChange,
  boundedReader,
  controlFrame,
  encodeControl,
  envelope,
  envelopeHead,
} from "../../wire/index.ts";
import { type Denial, denial, isDenial, sameAccess } from "../access/grants.ts";
import { Renewal } from "../access/renewal.ts";
import type { Turns } from "../flow/turns.ts";
import type { RoomAccess } from "../ports/access.ts";
import type { Clock } from "../ports/clock.ts";
import { Packet, control } from "../ports/packet.ts";
import type { Addressing } from "../transport/addressing.ts";
import { WORTH_MS } from "../transport/inbox.ts";
import type { Channel } from "../transport/channel.ts";
import type { Link } from "../transport/link.ts";
import type { LinkHost } from "../transport/link-host.ts";
import type { Admitted } from "../transport/links.ts";
import { truncate } from "../transport/reason.ts";

/** A channel that was let in to a room of a link. */
export interface AdmittedRoom extends Admitted {
  /** Called when the channel is over, or was not opened after all. */
  readonly leave?: () => void;
}

export type RoomDecision = AdmittedRoom | Denial;

/** Says which rooms the client of one link is let in to. */
export interface Doorkeeper {
  admit(request: Pick<OpenRequest, "room" | "keepsHistory">): RoomDecision | Promise<RoomDecision>;
  /** A newer token is good: the next rooms are asked for with it. */
  renewed(token: string): void;
}

/** What the channels of a link need of the hub. */
export interface ChannelHub {
  readonly turns: Turns;
  readonly clock: Clock;
  /** Most channels of one link; 0: any number. */
  readonly maxChannels: number;
  /** Most bytes of a message. */
  readonly maxMessage: number;
  open(link: Link, name: string, admitted: Admitted): Channel;
  /** The session of a channel's link has changed its status or its user. */
  restate(channel: Channel, change: SessionChange): void;
  refused(because: Denial["because"]): void;
  error(error: unknown, where: string): void;
}

/** A channel that is open. */
interface OpenRoom {
  readonly channel: Channel;
  readonly admitted: AdmittedRoom;
}

/** About how long it takes to let a client in to a room, ms. */
const JOIN_MS = 2;
/** Refusals for these reasons concern the token, and so every room: they end the link. [LINK-8] */
const OF_THE_TOKEN: ReadonlySet<Denial["because"]> = new Set(["unauthenticated", "expired"]);

/** It could not be found out whether the client may come in: it may try again. */
const UNAVAILABLE = denial("unavailable", Close.overloaded, "nobody can say who may come in");

const LINK_NAME = String(LINK_CHANNEL);
const KEEP_ALIVE = new Packet(KEEP_ALIVE_FRAME);
/** The heads of envelopes, each made once: a packet goes to many links under the same number. */
const HEADS = new Map<string, Uint8Array>();
/** The first number whose head is not kept: clients of ours count from 1, and a client that counts otherwise must not fill the memory. */
const MAX_HEADS = 1_000;

export class RoomChannels implements Addressing, LinkHost {
  readonly name: string = LINK_NAME;
  readonly #hub: ChannelHub;
  readonly #doorkeeper: Doorkeeper;
  readonly #reader: ReturnType<typeof boundedReader>;
  readonly #rooms = new Map<string, OpenRoom>();
  /** Channels that the doorkeeper has yet to decide about. Most of thousands of links have none. */
  #pending: readonly string[] = [];
  /** How many answers of the doorkeeper are waited for, counting channels that the client has closed meanwhile. */
  #awaited = 0;
  /** How many newer tokens of the link were taken. */
  #renewals = 0;
  #link: Link | null = null;
  /** The highest number that a channel had. */
  #last = LINK_CHANNEL;
  #renewal: Renewal<void> | null = null;

  constructor(hub: ChannelHub, doorkeeper: Doorkeeper) {
    this.#hub = hub;
    this.#doorkeeper = doorkeeper;
    this.#reader = boundedReader(hub.maxMessage, (channel) => this.#isOpen(String(channel)));
  }

  /** Says whose channels these are. */
  attach(link: Link): void {
    this.#link = link;
  }

  split(data: Uint8Array): ReturnType<Addressing["split"]> {
    const { channel, message } = this.#reader.read(data);
    return { channel: String(channel), frame: message };
  }

  get held(): number {
    return this.#reader.held;
  }

  prefixOf(channel: string): Uint8Array {
    const known = HEADS.get(channel);
    if (known !== undefined) return known;
    const head = envelopeHead(Number(channel));
    if (Number(channel) < MAX_HEADS) HEADS.set(channel, head);
    return head;
  }

  closed(channel: string, code: number, reason: string): Uint8Array {
    return envelope(LINK_CHANNEL, controlFrame({ kind: "close", channel: Number(channel), code, reason }));
  }

  take(frame: Frame): void {
    if (frame.type === "awareness" && frame.payload.length === 1 && frame.payload[0] === 0) {
      // [LINK-7] the page lives: it says so once for all its rooms
      return this.#send(KEEP_ALIVE);
    }
    if (frame.type !== "control") throw new FrameError(`unexpected ${frame.type} message on channel 0`);
    const { control: said } = frame;
    switch (said.kind) {
      case "open":
        return this.#open(said);
      case "close":
        return this.#close(String(said.channel), said.code);
      case "token":
        this.#renewal ??= new Renewal(
          (token) => this.#renew(token),
          () => {},
        );
        return this.#renewal.take(said.token);
      case "ping":
        return this.#tell({ kind: "pong" });
      case "read":
        return this.#link?.hasRead(said.bytes);
      case "session":
        return this.#restate(said);
      default:
        throw new FrameError(`unexpected control message ${said.kind} on channel 0`);
    }
  }

  left(channel: string): void {
    this.#reader.forget(Number(channel));
    const left = this.#rooms.get(channel);
    if (left === undefined) return;
    this.#rooms.delete(channel);
    left.admitted.leave?.();
  }

  ended(): void {
    this.#pending = [];
    this.#link = null;
  }

  /** [LINK-3] A number is used once: a late message for a channel that is over must not reach another channel. */
  #open(request: OpenRequest): void {
    const { channel } = request;
    if (channel <= this.#last) throw new FrameError("the number of a channel must be above all before");
    this.#last = channel;
    const name = String(channel);
    const { maxChannels } = this.#hub;
    // [LINK-9]
    if (maxChannels !== 0 && this.#rooms.size + this.#awaited >= maxChannels) {
      return this.#refuse(name, denial("rooms", Close.overloaded, "too many rooms on this connection"));
    }
    this.#ask(name, request);
  }

  /** Asks whether the client is let in to a room. */
  #ask(name: string, request: OpenRequest): void {
    const { room, keepsHistory } = request;
    const decision = this.#doorkeeper.admit({ room, ...(keepsHistory === true && { keepsHistory }) });
    if (!(decision instanceof Promise)) return this.#enter(name, decision);
    this.#pending = this.#pending.concat(name);
    this.#awaited++;
    const renewals = this.#renewals;
    decision.then(
      (decided) =>
        this.#inTurn(() => {
          this.#awaited--;
          // false: the client has closed the channel meanwhile, or the link is over
          const isWanted = this.#waitNoMore(name);
          // [LINK-8] the decision was made with a token that has been replaced meanwhile
          const isOld = renewals !== this.#renewals;
          if (isWanted && !isOld) return this.#enter(name, decided);
          if (!isDenial(decided)) decided.leave?.();
          if (isWanted) this.#ask(name, request);
        }),
      (error: unknown) => {
        this.#awaited--;
        this.#hub.error(error, "a new channel");
        // the client would wait for an answer for ever
        if (this.#waitNoMore(name)) this.#refuse(name, UNAVAILABLE);
      },
    );
  }

  /** [COST-8] Many clients that come to a large room at once are let in with breaks. */
  #inTurn(act: () => void): void {
    const { turns } = this.#hub;
    if (turns.isTaken()) turns.wait(JOIN_MS, () => this.#guarded(act));
    else this.#guarded(act);
  }

  #guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#hub.error(error, "a new channel");
      this.#link?.close(Close.internal, "the relay failed to open a channel");
    }
  }

  #enter(name: string, decision: RoomDecision): void {
    if (isDenial(decision)) return this.#refuse(name, decision);
    const link = this.#link;
    if (link === null) return decision.leave?.();
    if (this.#isIn(decision.room)) {
      decision.leave?.();
      // [LINK-11] else one link would be told of each change a thousand times
      return this.#refuse(name, denial("malformed", Close.malformed, "this connection is in the room already"));
    }
    const { leave: _leave, ...admitted } = decision;
    const { user } = admitted.access;
    if (user !== null) link.paidBy(user.id);
    const channel = this.#hub.open(link, name, admitted);
    // the relay may have closed the channel as it opened
    if (link.channels.includes(channel)) {
      this.#rooms.set(name, { channel, admitted: decision });
    } else decision.leave?.();
  }

  /** A channel waits for the doorkeeper no more. Returns whether it did. */
  #waitNoMore(name: string): boolean {
    const wasPending = this.#pending.includes(name);
    if (wasPending) this.#pending = this.#pending.filter((each) => each !== name);
    return wasPending;
  }

  /** Whether the link is in a room, as the relay names it. */
  #isIn(room: string): boolean {
    for (const { admitted } of this.#rooms.values()) if (admitted.room === room) return true;
    return false;
  }

  #isOpen(name: string): boolean {
    return name === LINK_NAME || this.#rooms.has(name) || this.#pending.includes(name);
  }

  /** [LINK-4] One room is refused, and the link goes on. But where the token is not good, all rooms are refused: the link ends. */
  #refuse(name: string, refused: Denial): void {
    this.#reader.forget(Number(name));
    this.#hub.refused(refused.because);
    const { because, code, reason } = refused;
    if (OF_THE_TOKEN.has(because)) return this.#link?.close(code, reason);
    this.#tell({ kind: "refused", channel: Number(name), code, reason: truncate(reason) });
  }

  /** [LINK-5] The client leaves one room. */
  #close(name: string, code: number): void {
    // the channel is unknown where the relay has closed it meanwhile
    if (this.#waitNoMore(name)) this.#reader.forget(Number(name));
    else this.#link?.channelClosed(name, code);
  }

  /** [LINK-13] The session has changed its status or its user: in all rooms. */
  #restate(change: SessionChange): void {
    const { length } = encodeControl(change);
    const { clock } = this.#hub;
    // a copy: a room that does not take the change is closed
    for (const { channel } of Array.from(this.#rooms.values())) {
      // [LINK-14] the change costs as much in each room as a message of its own would
      this.#link?.countMessage(length);
      if (this.#link === null) return;
      const startedAt = clock.now();
      this.#hub.restate(channel, change);
      const elapsedMs = clock.now() - startedAt;
      if (elapsedMs >= WORTH_MS) this.#link?.charge(elapsedMs);
    }
  }

  /** A newer token: each room goes on with it, or is closed if the token does not grant the same. [LINK-8] */
  async #renew(token: string): Promise<void> {
    let expiresAt: number | null = null;
    for (const { channel, admitted } of this.#rooms.values()) {
      // [LINK-8] one message asks for as many answers as there are rooms
      this.#link?.countMessage();
      if (this.#link === null) return;
      const renewed = admitted.renew === undefined ? channel.access : await admitted.renew(token);
      if (!this.#rooms.has(channel.name)) continue;
      if (isDenial(renewed)) {
        const { because, code, reason } = renewed;
        // a refusal in this room alone does not concern the others
        if (because !== "grants") return this.#link?.close(code, reason);
        channel.close(code, reason);
      } else if (sameAccess(channel.access, renewed)) {
        channel.access = renewed;
        expiresAt = earlier(expiresAt, renewed);
      } else {
        // what a member may see is fixed when its channel opens: it has to open anew
        channel.close(Close.restart, "what you may do has changed");
      }
    }
    this.#doorkeeper.renewed(token);
    this.#renewals++;
    const expiresInMs = expiresAt === null ? null : Math.max(0, expiresAt - this.#hub.clock.wall());
    this.#tell({ kind: "access", expiresInMs });
  }

  #tell(message: Control): void {
    this.#send(control(message));
  }

  #send(packet: Packet): void {
    this.#link?.send(packet, this);
  }
}

function earlier(before: number | null, { expiresAt }: RoomAccess): number | null {
  if (before === null || expiresAt === null) return before ?? expiresAt;
  return Math.min(before, expiresAt);
}
