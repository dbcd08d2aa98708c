import { Close, FrameError } from "../../wire/index.ts";

/** An update that is well formed and still not taken; the connection that sent it is closed with `code`. */
export class UpdateRefusedError extends FrameError {
  readonly code: number;

  constructor(code: number, reason: string) {
    super(reason);
    this.code = code;
  }
}

export function tooLarge(reason: string): UpdateRefusedError {
  return new UpdateRefusedError(Close.tooLarge, reason);
}

/** The relay has no room for it now: the client may try again later. */
export function noRoom(reason: string): UpdateRefusedError {
  return new UpdateRefusedError(Close.overloaded, reason);
}
