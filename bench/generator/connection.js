// @ts-check
/** One client of the generator: a socket, its state, and counters of what it is sent. */
import { createConnection } from "node:net";
import { readChange } from "./state.js";
import { FrameScanner } from "./scanner.js";
import { Opcode, clientFrame, closeFrame, handshake } from "./websocket.js";
import { FIRST_ID } from "./clients/client.js";

/**
 * All sockets are read into the same buffer: what is read is done with before the next one is. Large, so that a room's
 * flush takes few calls.
 */
const readBuffer = Buffer.allocUnsafe(1 << 20);

const HANDSHAKE_END = Buffer.from("\r\n\r\n");
const CONNECT_TIMEOUT_MS = 60_000;
const ANSWER_BYTES = 16 * 1024;

/**
 * @typedef {object} Dial
 * @property {number} port
 * @property {string} [host]
 * @property {string} [localAddress]
 */

/**
 * @typedef {object} ConnectionEvents
 * @property {(connection: Connection, sender: number, change: number) => void} [state]
 *   A state of `sender` (an index) was read; only while `whole`.
 * @property {(connection: Connection, bytes: Uint8Array, start: number, end: number) => void} [message]
 *   A message, whole; only while `whole`.
 * @property {(connection: Connection) => void} [closed]
 */

export class Connection {
  /** @type {import("./clients/client.js").ClientKind} */
  kind;
  /** @type {number} */
  index;
  /** @type {string} */
  room;
  /** Whether what it is sent is read, and not only counted. */
  whole = true;
  /** Whether it sends back what it hears, as stock clients do. */
  echo = false;
  clock = 0;
  /** How often its state has changed. */
  changes = 0;
  frames = 0;
  bytes = 0;
  states = 0;
  isOpen = false;
  /** @type {import("./clients/client.js").StateMessage} */
  #message;
  /** @type {import("./clients/client.js").StatesReader} */
  #eachState;
  /** @type {ConnectionEvents} */
  #events;
  /** @type {import("node:net").Socket | undefined} */
  #socket;
  #scanner = new FrameScanner(this);
  #nudged = false;
  #others = 0;
  /** Where in a message its own state stands, if there. */
  #ownFrom = 0;
  #ownTo = 0;
  /** What it had been sent when it last said that it reads. */
  #answeredAt = 0;
  /** @type {Uint8Array} */
  #reading = readBuffer;

  /**
   * @param {import("./clients/client.js").ClientKind} kind
   * @param {number} index
   * @param {string} room
   * @param {ConnectionEvents} [events]
   */
  constructor(kind, index, room, events = {}) {
    this.kind = kind;
    this.index = index;
    this.room = room;
    this.#events = events;
    this.#message = kind.stateMessage(index, room);
    this.#eachState = kind.makeReader?.() ?? kind.eachState;
  }

  /**
   * Opens it and says who it is, as its kind does.
   *
   * @param {Dial} dial
   * @param {{ readonly announce?: boolean }} [options]
   * @returns {Promise<void>}
   */
  async open(dial, { announce = true } = {}) {
    await this.#connect(dial);
    for (const message of this.kind.greeting(this.room, this.index)) this.send(message);
    if (announce) this.announce();
  }

  /** @param {readonly Uint8Array[]} message  in pieces */
  send(...message) {
    this.#write(clientFrame(message));
  }

  /** Changes its state, and says so. */
  change() {
    this.changes++;
    this.announce();
  }

  /** Says its state at a new clock. */
  announce() {
    this.clock++;
    this.#message.set(this.changes, this.clock);
    this.#write(this.#message.frame);
    // the rest of it waits to be written: the next change must not be written over it
    if ((this.#socket?.writableLength ?? 0) > 0) this.#message = this.kind.stateMessage(this.index, this.room);
  }

  /** What it does every 15 s though nothing changes. */
  renew() {
    if (this.kind.renewal === null) this.announce();
    else this.send(this.kind.renewal);
  }

  pause() {
    this.#socket?.pause();
  }

  resume() {
    this.#socket?.resume();
  }

  /** @param {number} code */
  close(code) {
    this.#write(closeFrame(code));
    this.#socket?.end();
  }

  /** Cuts it without a word. */
  reset() {
    this.#socket?.resetAndDestroy();
  }

  /**
   * A frame from the server (see FrameScanner).
   *
   * @param {number} opcode
   * @param {Uint8Array} bytes
   * @param {number} start
   * @param {number} end
   * @param {number} length  of the whole payload, of which this may be the beginning
   */
  frame(opcode, bytes, start, end, length) {
    this.frames++;
    if (opcode === Opcode.ping) this.#write(clientFrame([bytes.subarray(start, end)], Opcode.pong));
    if (opcode !== Opcode.binary) return;
    this.states += this.kind.countStates(bytes, start, end);
    if (this.whole) this.#read(bytes, start, end);
    const receipt = this.kind.receipt?.(bytes, start, length) ?? null;
    if (receipt !== null) this.send(receipt);
    this.#answer();
  }

  /** A client of ours says now and then that it reads; else the relay would send it no more for a while. */
  #answer() {
    const { renewal } = this.kind;
    if (renewal === null || this.bytes - this.#answeredAt < ANSWER_BYTES) return;
    this.#answeredAt = this.bytes;
    this.send(renewal);
  }

  /**
   * @param {Uint8Array} bytes
   * @param {number} start
   * @param {number} end
   */
  #read(bytes, start, end) {
    const reply = this.kind.reply(bytes, start, end, this.room);
    if (reply !== null) this.send(reply);
    this.#events.message?.(this, bytes, start, end);
    this.#others = this.#ownFrom = this.#ownTo = 0;
    this.#reading = bytes;
    this.#eachState(bytes, start, end, this.#onState);
    if (this.echo && this.#others > 0) this.send(...this.#othersIn(bytes, start, end));
    // said to be gone, it says that it is not
    if (this.#nudged) {
      this.#nudged = false;
      this.announce();
    }
  }

  /**
   * What it heard of others: its own state is not news to it.
   *
   * @param {Uint8Array} bytes
   * @param {number} start
   * @param {number} end
   */
  #othersIn(bytes, start, end) {
    if (this.#ownTo === 0) return [bytes.subarray(start, end)];
    return this.kind.withoutState(bytes, start, end, this.#ownFrom, this.#ownTo);
  }

  /** @type {import("./clients/client.js").StateVisitor} */
  #onState = (id, clock, end, isNull, source = this.#reading, from = 0) => {
    const sender = id - FIRST_ID;
    if (sender !== this.index) this.#others++;
    else {
      this.#ownFrom = from;
      this.#ownTo = end;
      if (isNull) {
        this.clock = Math.max(this.clock, clock);
        this.#nudged = true;
      }
    }
    if (!isNull) this.#events.state?.(this, sender, readChange(source, end));
  };

  /** @param {Buffer} frame */
  #write(frame) {
    if (this.isOpen) this.#socket?.write(frame);
  }

  /**
   * @param {Dial} dial
   * @returns {Promise<void>}
   */
  #connect({ port, host = "127.0.0.1", localAddress }) {
    return new Promise((resolve, reject) => {
      let head = Buffer.alloc(0);
      /** @param {number} length */
      const read = (length) => {
        this.bytes += length;
        if (this.isOpen) return this.#scanner.feed(readBuffer, length);
        head = Buffer.concat([head, readBuffer.subarray(0, length)]);
        const at = head.indexOf(HANDSHAKE_END);
        if (at < 0) return;
        const answer = head.toString("latin1", 0, at);
        if (!answer.startsWith("HTTP/1.1 101")) return fail(new Error(`refused: ${answer}`));
        clearTimeout(timer);
        this.isOpen = true;
        resolve();
        const rest = head.subarray(at + HANDSHAKE_END.length);
        this.bytes = rest.length;
        this.#scanner.feed(rest, rest.length);
      };
      const socket = createConnection({
        port,
        host,
        noDelay: true,
        ...(localAddress !== undefined && { localAddress }),
        onread: {
          buffer: readBuffer,
          callback: (length) => {
            read(length);
            return true;
          },
        },
      });
      /** @param {Error} error */
      const fail = (error) => {
        clearTimeout(timer);
        socket.destroy();
        reject(error);
      };
      const timer = setTimeout(() => fail(new Error("the server does not answer")), CONNECT_TIMEOUT_MS);
      this.#socket = socket;
      socket.write(handshake(this.kind.path(this.room, this.index), this.kind.subprotocol));
      socket.on("error", fail);
      socket.on("close", () => {
        this.isOpen = false;
        this.#events.closed?.(this);
        fail(new Error("the server closed the connection"));
      });
    });
  }
}
