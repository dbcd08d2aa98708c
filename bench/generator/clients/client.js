// @ts-check
/**
 * What the generator has to know of a kind of client: how it dials, what it says, and how to find what it is told.
 * Everything else (who sends when, what is measured) is the same for all kinds.
 *
 * @typedef {object} ClientKind
 * @property {string | null} subprotocol
 * @property {(room: string, index: number) => string} path  What it asks for in the handshake.
 * @property {(room: string, index: number) => Uint8Array[]} greeting  Messages that it sends when its socket opens, before its state.
 * @property {(index: number, room: string) => StateMessage} stateMessage  Its own state, as it will send it.
 * @property {(room: string, update: Uint8Array) => Uint8Array} updateMessage  An update of the document.
 * @property {Uint8Array | null} renewal  What it sends every 15 s while nothing changes; null: its state, at a new clock.
 * @property {boolean} echoes  Whether it sends back what it hears of others.
 * @property {(bytes: Uint8Array, start: number, end: number) => number} countStates
 *   How many states the message that begins here holds; it may be cut off.
 * @property {(bytes: Uint8Array, start: number, end: number, visit: StateVisitor) => void} eachState
 * @property {(bytes: Uint8Array, start: number, end: number, from: number, to: number) => Uint8Array[]} withoutState
 *   The message that begins here without the state between `from` and `to`, in pieces.
 * @property {() => StatesReader} [makeReader]  For kinds that keep what they were told, in place of `eachState`.
 * @property {(bytes: Uint8Array, start: number, end: number, room: string) => Uint8Array | null} reply
 *   What has to be answered before anything else works: the server's question for the document.
 * @property {(bytes: Uint8Array, start: number, length: number) => Uint8Array | null} [receipt]
 *   What it says when it has read this message, which may be cut off and is `length` bytes long. Default: nothing.
 */

/**
 * @callback StatesReader
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} end
 * @param {StateVisitor} visit
 * @returns {void}
 */

/**
 * @callback StateVisitor
 * @param {number} id
 * @param {number} clock
 * @param {number} end  Where the state ends; `readChange` finds there what it is about.
 * @param {boolean} isNull  Whether it says that the client is gone.
 * @param {Uint8Array} [source]  Where it stands, if not in the message.
 * @param {number} [from]  Where what is said of this client begins, with its id.
 * @returns {void}
 */

/**
 * @typedef {object} StateMessage
 * @property {Buffer} frame  The whole WebSocket frame.
 * @property {(change: number, clock: number) => void} set  Writes a change into it. May replace `frame`.
 */

/** Client ids of the generator's clients are this and their index: all have the same number of bytes. */
export const FIRST_ID = 2 ** 30;
