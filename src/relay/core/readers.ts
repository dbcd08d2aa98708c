/**
 * Passes questions, answers and updates between the members of a room and its document. Until the document is loaded they wait, and
 * presence does not.
 */
import {
  Close,
  EMPTY_STATE_VECTOR,
  EMPTY_UPDATE,
  FrameError,
  syncStep1Frame,
  syncStep2Frame,
} from "../../wire/index.ts";
import type { RoomDocument } from "../documents/index.ts";
import type { Clock } from "../ports/clock.ts";
import { type Member, isRelay } from "../ports/member.ts";
import { Packet } from "../ports/packet.ts";
import type { Dropped } from "./counters.ts";
import type { FlushLoad } from "./flush/pace.ts";

/** For members that may not read the document: an empty answer, and a question whose state vector tells nothing of the document. */
const NO_DOCUMENT = new Packet(syncStep2Frame(EMPTY_UPDATE));
const BLIND_QUESTION = new Packet(syncStep1Frame(EMPTY_STATE_VECTOR));

/** Most bytes of updates and questions that wait until a document is loaded. */
const MAX_WAITING_BYTES = 32 * 2 ** 20;

export interface ReadersSetup {
  readonly clock: Clock;
  readonly load: FlushLoad;
  /** Counts what was not taken for want of a grant. */
  readonly onDropped: (what: Dropped) => void;
}

export class Readers {
  readonly #document: RoomDocument;
  readonly #members: ReadonlySet<Member>;
  readonly #setup: ReadersSetup;
  /**
   * Members that asked for the document and got it. An update that came before what it builds on would be half taken: its
   * deletions at once, the rest later. [ROOM-6]
   */
  readonly #readers = new Set<Member>();
  /** Hands on to other relays what is written here; null: there are none. */
  outlet: { update(message: Uint8Array): void } | null = null;
  /** What waits for the document to be loaded. */
  #waitingBytes = 0;
  /** Questions that wait until other relays have said what they have; null: they are answered. */
  #held: (() => void)[] | null = null;

  /** @param members of the room, as they come and go */
  constructor(document: RoomDocument, members: ReadonlySet<Member>, setup: ReadersSetup) {
    this.#document = document;
    this.#members = members;
    this.#setup = setup;
  }

  /** Asks a new member what it has of the document. */
  ask(member: Member): void {
    // a stock client is asked before it is told anything: then what it says before its answer is no echo
    if (this.#document.isReady || member.kind !== "stock") this.#document.whenReady(() => this.#ask(member));
    else member.send(BLIND_QUESTION);
  }

  /** A member asks for the parts of the document that it does not have. */
  question(member: Member, stateVector: Uint8Array): void {
    const held = this.#hold(stateVector, member);
    const answer = (): void => this.#withDocument(member, held.length, () => this.#answer(member, held));
    if (this.#held === null || member.kind === "relay") answer();
    else this.#held.push(answer);
  }

  /** Has the questions of clients wait from now on: an early answer would lack what other relays have. [BUS-12] */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const answer of held) answer();
  }

  /** A member has written to the document. Without `write`, that is dropped. [GRANT-5] */
  write(member: Member, update: Uint8Array): void {
    if (!member.access.write) return this.#setup.onDropped("document");
    const held = this.#hold(update, member);
    this.#withDocument(member, held.length, () => this.#document.apply(held, member));
  }

  /** Sends an update of the document to all but its author. */
  send(packet: Packet, author: unknown): void {
    const { clock, load } = this.#setup;
    const startedAt = clock.now();
    const isRemote = isRelay(author);
    if (!isRemote) this.outlet?.update(packet.message);
    for (const member of this.#readers) {
      // what came from another relay, that relay has told the others
      if (member !== author && !(isRemote && member.kind === "relay")) member.send(packet);
    }
    load.handedOn(clock.now() - startedAt);
  }

  left(member: Member): void {
    this.#readers.delete(member);
  }

  clear(): void {
    this.#readers.clear();
    this.#held = null;
  }

  #ask(member: Member): void {
    const question = this.#members.has(member) ? this.#document.ask() : null;
    if (question !== null) member.send(member.access.read ? new Packet(question) : BLIND_QUESTION);
  }

  #answer(member: Member, stateVector: Uint8Array): void {
    if (!this.#members.has(member)) return;
    // a stock client waits for an answer, be it empty [GRANT-5]
    if (!member.access.read) return member.send(NO_DOCUMENT);
    for (const packet of this.#document.sync(stateVector, member.kind === "native")) member.send(packet);
    this.#readers.add(member);
  }

  /** A copy of bytes that have to wait: the buffer that they are in may be overwritten by the next message. */
  #hold(bytes: Uint8Array, { kind }: Member): Uint8Array {
    return this.#document.isReady && (this.#held === null || kind === "relay") ? bytes : bytes.slice();
  }

  /**
   * Does what a member wants of the document: at once, or when the document is loaded. If it is refused then, the member is closed.
   * [STORE-1] [STORE-26]
   *
   * @param bytes what is held of the message until then
   */
  #withDocument(member: Member, bytes: number, act: () => void): void {
    if (this.#document.isReady) return act();
    this.#waitingBytes += bytes;
    if (this.#waitingBytes > MAX_WAITING_BYTES) {
      throw new FrameError("the document is not loaded yet", Close.overloaded);
    }
    this.#document.whenReady(() => {
      this.#waitingBytes -= bytes;
      try {
        act();
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        member.close(error.code, error.message);
      }
    });
  }
}
