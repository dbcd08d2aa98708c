import { expect, it } from "vitest";
import { DocumentParts } from "../../src/hocuspocus/client/document-parts.ts";
import {
  EMPTY_STATE_VECTOR,
  KEEP_ALIVE_FRAME,
  LINK_CHANNEL,
  envelope,
  envelopesOf,
  syncStep1Frame,
  syncStep2Frame,
  updateFrame,
} from "../../src/wire/index.ts";

it("[HOC-1] knows what brings a part of a document, also in pieces, and what only asks for one", () => {
  const parts = new DocumentParts();
  const isPart = (channel: number, message: Uint8Array): boolean => parts.isPartOfOne(envelope(channel, message));
  expect(isPart(1, updateFrame(new Uint8Array(100)))).toBe(true);
  expect(isPart(1, syncStep2Frame(new Uint8Array(100)))).toBe(true);
  expect(isPart(1, syncStep1Frame(EMPTY_STATE_VECTOR))).toBe(false);
  expect(isPart(1, KEEP_ALIVE_FRAME)).toBe(false);
  expect(isPart(LINK_CHANNEL, KEEP_ALIVE_FRAME)).toBe(false);

  const pieces = [...envelopesOf(2, updateFrame(new Uint8Array(100)), 30)];
  expect(pieces.length).toBeGreaterThan(2);
  const [first = new Uint8Array(), ...others] = pieces;
  expect(parts.isPartOfOne(first)).toBe(true);
  // what comes between the pieces, of the same channel or another
  expect([isPart(2, KEEP_ALIVE_FRAME), isPart(3, KEEP_ALIVE_FRAME)]).toEqual([false, false]);
  expect(others.map((piece) => parts.isPartOfOne(piece))).toEqual(others.map(() => true));
  // another long message of that channel that is of no document
  const state = [...envelopesOf(2, new Uint8Array(100).fill(1), 30)];
  expect(state.map((piece) => parts.isPartOfOne(piece))).toEqual(state.map(() => false));
});
