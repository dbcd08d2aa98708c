/**
 * What it means that a hook of the application throws when a link asks for a room. Hooks mostly throw a plain error, which
 * does not say whether the token is bad or the room is not allowed.
 */
import { Close } from "../wire/index.ts";

export type Decided<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly code: 4401 | 4403 | 4501 | 4503; readonly reason: string };

const CODES: ReadonlySet<unknown> = new Set([
  Close.notAuthenticated,
  Close.notAllowed,
  Close.tokenExpired,
  Close.overloaded,
]);

/** Who is let in to the rooms of one link. */
export class Doorkeeper<Value> {
  /** Asks the application's hooks. */
  readonly ask: (room: string, token: string) => Promise<Value>;
  readonly #pending = new Set<Promise<unknown>>();
  /** With this token somebody was let in somewhere. */
  #isGood = false;

  constructor(ask: (room: string, token: string) => Promise<Value>) {
    this.ask = ask;
  }

  /**
   * What is thrown may have a code, as `Unauthorized` and `Forbidden` of @hocuspocus/common have. Without one, a token that
   * opens any room is good, and the room is not allowed; one that opens none is bad. [HOC-13]
   */
  async admit(room: string, token: string): Promise<Decided<Value>> {
    const asked = this.ask(room, token);
    const settled = this.#note(asked);
    this.#pending.add(settled);
    try {
      return { ok: true, value: await asked };
    } catch (error) {
      const { code, reason } = detailsOf(error);
      if (CODES.has(code)) return { ok: false, code: code as 4401 | 4403 | 4501 | 4503, reason };
      // the other rooms are asked about at the same time, and may say more
      await Promise.all(this.#pending);
      return { ok: false, code: this.#isGood ? Close.notAllowed : Close.notAuthenticated, reason };
    } finally {
      this.#pending.delete(settled);
    }
  }

  async #note(asked: Promise<Value>): Promise<void> {
    try {
      await asked;
      this.#isGood = true;
    } catch {
      // those who asked are told
    }
  }
}

/** Hocuspocus tells its providers the `reason` of what a hook throws, and nothing else of it. */
function detailsOf(error: unknown): { readonly code: unknown; readonly reason: string } {
  const { code, reason } = (typeof error === "object" && error !== null ? error : {}) as Record<string, unknown>;
  return { code, reason: typeof reason === "string" ? reason : "not allowed" };
}
