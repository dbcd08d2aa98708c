/**
 * One-off messages in a room, on their way to those who are there. They wait for the room's flush, behind the states that were said
 * before them, and are kept nowhere.
 */
import type { PresentEntry, Register } from "../../awareness/index.ts";
import {
  type BroadcastRequest,
  Close,
  FrameError,
  MAX_DEPTH,
  MAX_PAYLOAD_BYTES,
  type RoomMessage,
  encode,
  json,
  messagesFrame,
  text,
} from "../../wire/index.ts";
import type { Clock } from "../ports/clock.ts";
import { FAN_OUT_PART, type Member } from "../ports/member.ts";
import { Packet } from "../ports/packet.ts";
import type { MemoryBudget } from "../util/budget.ts";
import { HeldMessages } from "./held.ts";

/** At most this many characters go in one frame: a longer one would be sent in pieces, and shorter ones would overtake it. */
const FRAME_LENGTH = 16 * 2 ** 10;
/** When more characters than this wait, the room flushes without waiting any longer. */
const MAX_WAITING = 256 * 2 ** 10;

/** Who hands messages on to other relays. @param message as JSON */
export type MessageOutlet = (message: string) => void;

interface Waiting {
  /** As JSON. */
  readonly message: string;
  /** Who is not told, since the message is their own; null: a server's, or another relay's. */
  readonly author: Member | null;
  /** Only those are told who count in this lobby; null: everybody. */
  readonly lobby: string | null;
}

/** Has the room flushed: soon, or now. */
export interface MessageFlusher {
  schedule(): void;
  flushNow(): void;
}

export interface RoomMessagesSetup {
  readonly clock: Clock;
  /** Counts what is dropped for want of a grant. */
  readonly onDropped: (what: "message") => void;
  /** Whether it is not known yet if others may see somebody. */
  readonly isWithheld: (entry: PresentEntry) => boolean;
  /** Counts what waits in all rooms for those who do not read fast enough. */
  readonly messageMemory: MemoryBudget;
}

/** Messages of those who are withheld, at most. */
const MAX_WITHHELD = 100;

export class RoomMessages {
  /** null: no other relay is told. */
  outlet: MessageOutlet | null = null;
  readonly #members: ReadonlySet<Member>;
  readonly #register: Register;
  readonly #flusher: MessageFlusher;
  readonly #setup: RoomMessagesSetup;
  readonly #held: HeldMessages;
  #waiting: Waiting[] = [];
  #length = 0;
  /** Messages of those of whom it is not known yet if others may see them. [BUS-40] */
  #withheld: { readonly entry: PresentEntry; readonly waiting: Waiting }[] = [];

  /** @param members of the room, as they come and go */
  constructor(members: ReadonlySet<Member>, register: Register, flusher: MessageFlusher, setup: RoomMessagesSetup) {
    this.#members = members;
    this.#register = register;
    this.#flusher = flusher;
    this.#setup = setup;
    this.#held = new HeldMessages(setup.messageMemory);
  }

  /** Takes a message of a member, who is named by the relay's word. Throws `FrameError` for one that is too large. [MSG-2] [MSG-3] */
  say(member: Member, { type, payload }: BroadcastRequest, timestamp: number): void {
    if (encode(JSON.stringify(payload)).length > MAX_PAYLOAD_BYTES) {
      throw new FrameError(`message "${type}" above ${MAX_PAYLOAD_BYTES} bytes`, Close.tooLarge);
    }
    if (!member.access.presence) return this.#setup.onDropped("message");
    const entry = this.#register.ownedBy(member).find(({ phase }) => phase === "live");
    // [MSG-4] nobody is to learn of somebody invisible, nor hear somebody who is not there
    if (entry === undefined || !(entry.visible || this.#setup.isWithheld(entry))) return;
    const { user, session } = entry.claim;
    const from = { userId: user.id, session: session.id, clientId: entry.id };
    const message = messageText({ type, payload, from, timestamp });
    const waiting: Waiting = { message, author: member, lobby: null };
    if (entry.visible) this.#add(waiting);
    else if (this.#withheld.length < MAX_WITHHELD) this.#withheld.push({ entry, waiting });
  }

  /** Has everybody here told who may be, or those of one lobby. @param message as `messageText` makes it, here or on another relay */
  hand(message: string, lobby: string | null): void {
    this.#add({ message, author: null, lobby });
  }

  /** How many members are told of what is said now. */
  countReceivers(lobby: string | null): number {
    let count = 0;
    for (const member of this.#members) if (mayHear(member, lobby)) count++;
    return count;
  }

  /** Sends what waits, to each member in order. */
  flush(): void {
    if (this.#withheld.length > 0) this.#decide();
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#length = 0;
    const startedAt = this.#setup.clock.now();
    // those who are connected here are the business of this relay: the states that were said before have gone out
    for (const { author, message } of waiting) if (author !== null) this.outlet?.(message);
    for (const batch of batchesOf(waiting)) this.#send(batch, startedAt);
    const tookMs = this.#setup.clock.now() - startedAt;
    for (const { author } of waiting) author?.charge((tookMs * FAN_OUT_PART) / waiting.length);
  }

  /** A member has read what it was sent. */
  catchUp(member: Member): void {
    this.#held.catchUp(member, this.#setup.clock.now());
  }

  /** A member is gone. */
  left(member: Member): void {
    this.#held.left(member);
  }

  /** Drops what has waited for too long. */
  sweep(now: number): void {
    this.#held.sweep(now);
  }

  close(): void {
    this.#held.clear();
  }

  /** Of those whom others may see by now, what they said is sent. */
  #decide(): void {
    const withheld = this.#withheld;
    this.#withheld = withheld.filter(({ entry }) => !entry.visible && this.#setup.isWithheld(entry));
    for (const { entry, waiting } of withheld) if (entry.visible) this.#waiting.push(waiting);
  }

  #add(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#length += waiting.message.length;
    if (this.#length > MAX_WAITING) this.#flusher.flushNow();
    else this.#flusher.schedule();
  }

  #send(batch: readonly [Waiting, ...Waiting[]], now: number): void {
    const [{ author, lobby }] = batch;
    const packet = new Packet(messagesFrame(batch.map(({ message }) => message)));
    const isOneAuthors = batch.every((each) => each.author === author);
    const isFor = (member: Member): boolean => mayHear(member, lobby) && !(isOneAuthors && member === author);
    this.#held.send({ packet, count: batch.length, isFor }, this.#members, now);
  }
}

/** [MSG-2] Stock clients would not understand it. */
function mayHear({ kind, access }: Member, lobby: string | null): boolean {
  return kind === "native" && access.observe && (lobby === null || access.lobby === lobby);
}

/** Messages that follow each other and are for the same members, as many as go in one frame. [MSG-5] */
function batchesOf(waiting: readonly Waiting[]): (readonly [Waiting, ...Waiting[]])[] {
  const batches: [Waiting, ...Waiting[]][] = [];
  let length = 0;
  for (const each of waiting) {
    const last = batches.at(-1);
    length += each.message.length;
    if (last !== undefined && last[0].lobby === each.lobby && length <= FRAME_LENGTH) last.push(each);
    else {
      batches.push([each]);
      length = each.message.length;
    }
  }
  return batches;
}

/** A message as JSON: made once, for all who get it. */
export function messageText(message: RoomMessage): string {
  return JSON.stringify(message);
}

/** What another relay says as a message. Throws `FrameError` for what is no JSON. */
export function readMessage(bytes: Uint8Array): string {
  const message = text(bytes);
  json(message, MAX_DEPTH);
  return message;
}
