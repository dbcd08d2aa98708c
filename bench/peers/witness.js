// @ts-check
/**
 * A y-websocket client made by hand, for what the libraries' own do not let one do: it speaks for any client id. With a
 * document's name in front of each message it is one of Hocuspocus.
 */
import { once } from "node:events";
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import { WebSocket } from "ws";
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from "y-protocols/awareness";
import * as Y from "yjs";

const SYNC = 0;
const AWARENESS = 1;
const AUTH = 2;
const STEP_1 = 0;
/** Step 2, of an empty document. */
const EMPTY_ANSWER = Uint8Array.of(SYNC, 1, 2, 0, 0);

/**
 * @typedef {object} WitnessOptions
 * @property {boolean} named  Each message begins with the name of the document.
 * @property {string | undefined} token
 * @property {string} origin
 * @property {Witness} [as]  Whom it is, back with a new connection. Default: somebody new.
 */

export class Witness {
  /** @type {Awareness} */
  awareness;
  /** Client ids that went, each time. @type {number[]} */
  missed = [];
  /** Times that its connection was lost. */
  lost = 0;
  #socket;
  #name;

  /**
   * @param {string} url
   * @param {string} room
   * @param {WitnessOptions} options
   */
  constructor(url, room, { named, token, origin, as }) {
    this.awareness = as?.awareness ?? new Awareness(new Y.Doc());
    this.#name = named ? room : null;
    const query = token === undefined ? "" : `?token=${token}`;
    this.#socket = new WebSocket(`${url}/${named ? "" : room}${query}`, { origin });
    // as y-websocket does, be it news of its own or what it hears
    this.awareness.on("update", (/** @type {Record<"added" | "updated" | "removed", number[]>} */ update) => {
      const { added, updated, removed } = update;
      this.missed.push(...removed);
      this.#tell(encodeAwarenessUpdate(this.awareness, [...added, ...updated, ...removed]));
    });
    this.#socket.on("open", () => this.#opened());
    this.#socket.on("close", () => this.lost++);
    this.#socket.on("error", () => {});
    this.#socket.on("message", (data) => this.#receive(new Uint8Array(/** @type {Buffer} */ (data))));
  }

  get id() {
    return this.awareness.clientID;
  }

  /** Bytes that wait to be sent. */
  get unsent() {
    return this.#socket.bufferedAmount;
  }

  async open() {
    await once(this.#socket, "open");
  }

  /** Asks for the document and announces itself, before it hears anything. */
  #opened() {
    if (this.#name !== null) this.send(Uint8Array.of(AUTH, 0, 0));
    this.send(Uint8Array.of(SYNC, STEP_1, 1, 0));
    if (Object.keys(this.awareness.getLocalState() ?? {}).length > 0) {
      this.#tell(encodeAwarenessUpdate(this.awareness, [this.id]));
    }
  }

  /** @param {string} field @param {unknown} value */
  set(field, value) {
    this.awareness.setLocalState({ ...this.awareness.getLocalState(), [field]: value });
  }

  /** @param {...[id: number, clock: number, state: string]} said */
  say(...said) {
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, said.length);
    for (const [id, clock, state] of said) {
      encoding.writeVarUint(encoder, id);
      encoding.writeVarUint(encoder, clock);
      encoding.writeVarString(encoder, state);
    }
    this.#tell(encoding.toUint8Array(encoder));
  }

  /** @param {Uint8Array} message */
  send(message) {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    const encoder = encoding.createEncoder();
    if (this.#name !== null) encoding.writeVarString(encoder, this.#name);
    encoding.writeUint8Array(encoder, message);
    this.#socket.send(encoding.toUint8Array(encoder));
  }

  /** Cuts the connection. */
  cut() {
    this.#socket.terminate();
  }

  close() {
    this.#socket.terminate();
    this.awareness.destroy();
  }

  /** @param {Uint8Array} update */
  #tell(update) {
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, AWARENESS);
    encoding.writeVarUint8Array(encoder, update);
    this.send(encoding.toUint8Array(encoder));
  }

  /** @param {Uint8Array} message */
  #receive(message) {
    const decoder = decoding.createDecoder(message);
    if (this.#name !== null) decoding.readVarString(decoder);
    const type = decoding.readVarUint(decoder);
    if (type === SYNC && decoding.readVarUint(decoder) === STEP_1) this.send(EMPTY_ANSWER);
    if (type !== AWARENESS) return;
    applyAwarenessUpdate(this.awareness, decoding.readVarUint8Array(decoder), "server");
  }
}
