import { Close, FrameError } from "../../../wire/index.ts";

/** The refusal of a document, or of an update of one, that is well formed and above a limit. */
export function tooLarge(reason: string): FrameError {
  return new FrameError(reason, Close.tooLarge);
}

/** The relay has no room for it now: the client may try again later. */
export function noRoom(reason: string): FrameError {
  return new FrameError(reason, Close.overloaded);
}

/** What a connection sends builds on too much that nobody has sent. [DOC-4] */
export function tooMuchWaits(): FrameError {
  return tooLarge("too much of the document builds on what nobody sent");
}
