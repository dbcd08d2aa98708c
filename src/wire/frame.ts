/**
 * Frames: one message of the y-websocket protocol in each WebSocket message, and one type of our own.
 *
 * Messages 0–3 are those of y-websocket 3; stock clients log an error on any other, so ours goes only to connections
 * that asked for `PATCH_SUBPROTOCOL`.
 */
import * as encoding from "lib0/encoding";
import type { Entry } from "./awareness.ts";
import { type Control, decodeControl, encodeControl, parseControl } from "./control.ts";
import { FrameError, type Reader, expectEnd, readBytes, readRest, readText, readUint, reader } from "./bytes.ts";

/**
 * The subprotocol by which a client says that it trusts the relay's word on who is here, and that states are sent as
 * patches, both ways.
 */
export const PATCH_SUBPROTOCOL = "copresence.v2";
/** A client's token is offered as a subprotocol that begins so, behind the others: no log of addresses has it. */
export const AUTH_PREFIX = "copresence.auth.";

const SYNC = 0;
const AWARENESS = 1;
const AUTH = 2;
const QUERY_AWARENESS = 3;
const CONTROL = 99;
const STATES = 100;
const PATCH = 101;

const STEP_1 = 0;
const STEP_2 = 1;
const UPDATE = 2;

export type Frame =
  | { readonly type: "syncStep1"; readonly stateVector: Uint8Array }
  | { readonly type: "syncStep2" | "update"; readonly update: Uint8Array }
  | { readonly type: "awareness"; readonly payload: Uint8Array }
  | { readonly type: "denied"; readonly reason: string }
  | { readonly type: "queryAwareness" }
  | { readonly type: "control"; readonly control: Control }
  /** Relay → client: states of others, for a `StatesReader`. */
  | { readonly type: "states"; readonly payload: Uint8Array }
  /** Client → relay: a patch of the state of an own id. */
  | { readonly type: "patch"; readonly id: number; readonly clock: number; readonly patch: Uint8Array };

/** What a relay of ours says: nothing that only clients say, and it closes a connection that it denies something. */
export type RelayFrame = Exclude<Frame, { readonly type: "patch" | "denied" }>;

/** Reads one frame of a client or a relay; its byte fields are views. Throws `FrameError`. [WIRE-1] */
export function decodeFrame(bytes: Uint8Array): Frame {
  return decodeWhole(bytes, (type, from) => {
    if (type === PATCH) return { type: "patch", id: readUint(from), clock: readUint(from), patch: readRest(from) };
    if (type === AUTH) return readDenied(from);
    return readFrame(type, from, decodeControl);
  });
}

/**
 * Reads one frame of a relay. The relay is trusted: its control messages are JSON, and what is in them is not looked at.
 * Throws `FrameError`.
 */
export function decodeRelayFrame(bytes: Uint8Array): RelayFrame {
  return decodeWhole(bytes, (type, from) => readFrame(type, from, parseControl));
}

function decodeWhole<F>(bytes: Uint8Array, read: (type: number, from: Reader) => F): F {
  const from = reader(bytes);
  const decoded = read(readUint(from), from);
  expectEnd(from);
  return decoded;
}

function readFrame(type: number, from: Reader, readControl: (source: string) => Control): RelayFrame {
  switch (type) {
    case SYNC: {
      const step = readUint(from);
      if (step === STEP_1) return { type: "syncStep1", stateVector: readBytes(from) };
      if (step === STEP_2) return { type: "syncStep2", update: readBytes(from) };
      if (step === UPDATE) return { type: "update", update: readBytes(from) };
      throw new FrameError(`unknown sync step ${step}`);
    }
    case AWARENESS:
      return { type: "awareness", payload: readBytes(from) };
    case QUERY_AWARENESS:
      return { type: "queryAwareness" };
    case CONTROL:
      return { type: "control", control: readControl(readText(from)) };
    case STATES:
      return { type: "states", payload: readRest(from) };
    default:
      throw new FrameError(`unknown message type ${type}`);
  }
}

function readDenied(from: Reader): Frame {
  if (readUint(from) !== 0) throw new FrameError("unknown auth message");
  return { type: "denied", reason: readText(from) };
}

function frame(type: number, write: (encoder: encoding.Encoder) => void): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, type);
    write(encoder);
  });
}

/** @param entries as `encodeStates` of states.ts makes them */
export function statesFrame(count: number, entries: Uint8Array): Uint8Array {
  return frame(STATES, (encoder) => {
    encoding.writeVarUint(encoder, count);
    encoding.writeUint8Array(encoder, entries);
  });
}

// what the client needs none of is marked as pure, so that bundlers leave it out
/** Nobody is there. */
export const NO_STATES_FRAME: Uint8Array = /* @__PURE__ */ statesFrame(0, /* @__PURE__ */ new Uint8Array());

/** @param write as `writePatch` of patch.ts does */
export function patchFrame(id: number, clock: number, write: (encoder: encoding.Encoder) => void): Uint8Array {
  return frame(PATCH, (encoder) => {
    encoding.writeVarUint(encoder, id);
    encoding.writeVarUint(encoder, clock);
    write(encoder);
  });
}

function sync(step: number, payload: Uint8Array): Uint8Array {
  return frame(SYNC, (encoder) => {
    encoding.writeVarUint(encoder, step);
    encoding.writeVarUint8Array(encoder, payload);
  });
}

export const syncStep1Frame = (stateVector: Uint8Array): Uint8Array => sync(STEP_1, stateVector);
export const syncStep2Frame = (update: Uint8Array): Uint8Array => sync(STEP_2, update);
export const updateFrame = (update: Uint8Array): Uint8Array => sync(UPDATE, update);

/** @param payload as `encodeEntries` of awareness.ts makes it */
export function awarenessFrame(payload: Uint8Array): Uint8Array {
  return frame(AWARENESS, (encoder) => encoding.writeVarUint8Array(encoder, payload));
}

/** An awareness update of the client's own states, which are few. */
export function statesUpdateFrame(entries: readonly Entry[]): Uint8Array {
  const payload = encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, entries.length);
    for (const { id, clock, state } of entries) {
      encoding.writeVarUint(encoder, id);
      encoding.writeVarUint(encoder, clock);
      if (state === null) encoding.writeVarString(encoder, "null");
      else encoding.writeVarUint8Array(encoder, state);
    }
  });
  return awarenessFrame(payload);
}

export function controlFrame(control: Control): Uint8Array {
  return frame(CONTROL, (encoder) => encoding.writeVarString(encoder, encodeControl(control)));
}

/** People of a lobby, each as the JSON of `[id, user]`. @param isDone a `watch` is answered with it */
export function peopleFrame(people: readonly string[], isDone: boolean): Uint8Array {
  const text = `{"kind":"people","users":[${people.join(",")}]${isDone ? ',"done":true' : ""}}`;
  return frame(CONTROL, (encoder) => encoding.writeVarString(encoder, text));
}

/** One-off messages, each as JSON already. */
export function messagesFrame(messages: readonly string[]): Uint8Array {
  return frame(CONTROL, (encoder) =>
    encoding.writeVarString(encoder, `{"kind":"messages","messages":[${messages.join(",")}]}`),
  );
}

/** The state vector of a document without content, and the update that adds nothing. */
export const EMPTY_STATE_VECTOR: Uint8Array = /* @__PURE__ */ Uint8Array.of(0);
export const EMPTY_UPDATE: Uint8Array = /* @__PURE__ */ Uint8Array.of(0, 0);

/**
 * An awareness update of no states. A stock client counts it as a sign of life and does nothing else (it reconnects
 * after 30 s without a data frame; pings do not count).
 */
export const KEEP_ALIVE_FRAME: Uint8Array = awarenessFrame(Uint8Array.of(0));

/** Whether an encoded message holds awareness, as stock clients know it. */
export function isAwareness(message: Uint8Array): boolean {
  return message[0] === AWARENESS;
}

/** Whether an encoded message is about a document. */
export function isDocument(message: Uint8Array): boolean {
  return message[0] === SYNC;
}

/** Asks for the whole own state. */
export const QUERY_FRAME: Uint8Array = /* @__PURE__ */ Uint8Array.of(QUERY_AWARENESS);
