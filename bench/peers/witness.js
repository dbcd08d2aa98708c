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

export class Witness {
  /** @type {Awareness} */
  awareness = new Awareness(new Y.Doc());
  /** Times that its connection was lost. */
  lost = 0;
  #socket;
  #name;

  /**
   * @param {string} url
   * @param {string} room
   * @param {{ named: boolean, token?: string | undefined }} options
   */
  constructor(url, room, { named, token }) {
    this.#name = named ? room : null;
    this.#socket = new WebSocket(`${url}/${named ? "" : room}${token === undefined ? "" : `?token=${token}`}`);
    this.#socket.on("close", () => this.lost++);
    this.#socket.on("error", () => {});
    this.#socket.on("message", (data) => this.#receive(new Uint8Array(/** @type {Buffer} */ (data))));
  }

  get id() {
    return this.awareness.clientID;
  }

  async open() {
    await once(this.#socket, "open");
    if (this.#name !== null) this.send(Uint8Array.of(AUTH, 0, 0));
    this.send(Uint8Array.of(SYNC, 0, 1, 0));
    this.send(Uint8Array.of(SYNC, 1, 2, 0, 0));
  }

  /** @param {string} field @param {unknown} value */
  set(field, value) {
    this.awareness.setLocalState({ ...this.awareness.getLocalState(), [field]: value });
    this.#tell(encodeAwarenessUpdate(this.awareness, [this.id]));
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
    if (decoding.readVarUint(decoder) !== AWARENESS) return;
    const update = decoding.readVarUint8Array(decoder);
    applyAwarenessUpdate(this.awareness, update, "server");
    // as y-websocket does
    this.#tell(update);
  }
}
