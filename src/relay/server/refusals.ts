/** Writes to the log who is not let in and why, with the path that a connection asked for or the room that a link did. [SEE-3] */
import type { Denial } from "../access/grants.ts";
import type { Log } from "../ports/log.ts";
import { Sparing } from "../util/sparing.ts";

/** So many who are refused are written to the log in a second. */
const MAX_LINES = 10;
/** So much of a path or of the name of a room is written. */
const MAX_LENGTH = 200;

export class Refusals {
  readonly #log: Log;
  readonly #logged = new Sparing(MAX_LINES, () => performance.now());

  constructor(log: Log) {
    this.#log = log;
  }

  /** @param asked for: a path without parameters, since a token may be among them, or a room */
  tell(
    { because, code, reason }: Denial,
    address: string,
    asked: { readonly path: string } | { readonly room: string },
  ): void {
    // [SEE-4] any stranger can be refused as often as they like
    const { ok, leftOut } = this.#logged.take();
    if (!ok) return;
    const what = Object.fromEntries(Object.entries(asked).map(([name, text]) => [name, text.slice(0, MAX_LENGTH)]));
    this.#log.info({ because, code, reason, address, ...what, ...(leftOut > 0 && { leftOut }) }, "refused");
  }
}
