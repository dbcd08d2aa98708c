/**
 * Offers a request for an upgrade to the application's own listeners, and says what they did with its socket.
 *
 * A `ws` server with a `path` answers 400 to every other path, and many listeners destroy the socket of a path that they
 * do not know. Where a relay would serve the request, such an answer means no more than "not mine", so it is held back.
 */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

export type Outcome =
  /** A listener has answered: the socket is its own. */
  | "taken"
  /** A listener said that the request is none of its own. Nothing of the answer was sent. */
  | "declined"
  /** A listener listens to the socket, and may answer later. */
  | "pending"
  | "untouched";

/** Answers by which a listener says that it does not know the path, the protocol or the method. [HTTP-9] */
const NOT_MINE = /^HTTP\/1\.1 40[045] /;

/** @param offer calls the listeners */
export function offerUpgrade(socket: Duplex, offer: () => void): Outcome {
  const before = listenersOf(socket);
  const sent = bytesWritten(socket);
  const hasWritten = (): boolean => bytesWritten(socket) > sent;
  /** With what a listener ended or destroyed the socket, if one did. */
  let ending: readonly unknown[] | null = null;
  let isOffered = true;
  const hold = (name: "end" | "destroy"): (() => void) => {
    const original = Reflect.get(socket, name) as (...args: unknown[]) => Duplex;
    return replaceMethod(socket, name, (...args) => {
      // a listener may keep the method for later: then it is what it was
      if (!isOffered || hasWritten()) return Reflect.apply(original, socket, args);
      ending ??= name === "end" ? args : [];
      return socket;
    });
  };
  const restore = [hold("end"), hold("destroy")];
  try {
    offer();
  } finally {
    isOffered = false;
    for (const undo of restore) undo();
  }
  if (hasWritten() || socket.destroyed) return "taken";
  if (ending === null) return isListenedTo(socket, before) ? "pending" : "untouched";
  const [text] = ending as readonly unknown[];
  if (typeof text === "string" && text !== "" && !NOT_MINE.test(text)) {
    socket.end(text);
    return "taken";
  }
  removeListenersSince(socket, before);
  return "declined";
}

/** Returns the undo. */
function replaceMethod(target: Duplex, name: string, method: (...args: unknown[]) => Duplex): () => void {
  const own = Object.getOwnPropertyDescriptor(target, name);
  Object.defineProperty(target, name, { value: method, configurable: true, writable: true });
  return () => {
    if (own === undefined) Reflect.deleteProperty(target, name);
    else Object.defineProperty(target, name, own);
  };
}

type Listeners = ReadonlyMap<string | symbol, ReadonlySet<unknown>>;

function listenersOf(socket: Duplex): Listeners {
  return new Map(socket.eventNames().map((name) => [name, new Set<unknown>(socket.rawListeners(name))]));
}

function addedSince(socket: Duplex, before: Listeners): (readonly [string | symbol, (...args: never[]) => void])[] {
  return socket.eventNames().flatMap((name) => {
    const added = socket.rawListeners(name).filter((listener) => before.get(name)?.has(listener) !== true);
    return added.map((listener) => [name, listener as (...args: never[]) => void] as const);
  });
}

function isListenedTo(socket: Duplex, before: Listeners): boolean {
  return addedSince(socket, before).length > 0;
}

function removeListenersSince(socket: Duplex, before: Listeners): void {
  for (const [name, listener] of addedSince(socket, before)) socket.off(name, listener as (...args: unknown[]) => void);
}

/** Bytes that were written to a socket so far, those that wait to leave among them. */
export function bytesWritten(socket: Duplex): number {
  return (socket as Socket).bytesWritten ?? 0;
}
