/**
 * The gate: who is let in, where to, and as whom. Without anybody to ask, it decides at once.
 *
 * A refusal is said after the handshake, as a close code: a browser does not see the status of a handshake that failed,
 * and would try again for ever.
 */
import { Close } from "../../wire/index.ts";
import { admit } from "../request.ts";
import { addressKey } from "./address.ts";
import { Census, type CensusLimits, type Ticket } from "./census.ts";
import { type Denial, type RoomAccess, accessTo, denial, openAccess } from "./grants.ts";
import { type AccessRequest, type Authenticate, readAnswer } from "./identity.ts";

/** What is known of a connection when it is opened. */
export interface Knock {
  /** `/<room>?params` */
  readonly target: string;
  readonly token: string | null;
  readonly origin: string | null;
  readonly address: string;
  readonly headers: AccessRequest["headers"];
}

/** One that was let in. */
export interface Visitor {
  readonly ok: true;
  readonly room: string;
  readonly access: RoomAccess;
  /** What its identity was asked with, if anybody asked. */
  readonly request: Omit<AccessRequest, "token" | "headers"> | null;
  readonly ticket: Ticket;
}

export type Decision = Visitor | Denial;

export interface GateOptions extends CensusLimits {
  readonly origins: readonly string[];
  readonly handshakeTimeout: number;
}

export class Gate {
  readonly #options: GateOptions;
  readonly #authenticate: Authenticate | null;
  readonly #onError: (error: unknown) => void;
  readonly #census: Census;

  constructor(options: GateOptions, authenticate: Authenticate | null, onError: (error: unknown) => void) {
    this.#options = options;
    this.#authenticate = authenticate;
    this.#onError = onError;
    this.#census = new Census(options);
  }

  /** Whether everybody is let in as whoever they say. */
  get open(): boolean {
    return this.#authenticate === null;
  }

  /** Decides, at once if nobody has to be asked. One that is let in must `leave` with its ticket. */
  knock(knock: Knock, now: number): Decision | Promise<Decision> {
    const ticket = this.#census.connect(addressKey(knock.address), now);
    if ("ok" in ticket) return ticket;
    const decision = this.#decide(knock, ticket);
    if (!(decision instanceof Promise)) return this.#settle(decision, ticket);
    return decision.then((decided) => this.#settle(decided, ticket));
  }

  leave(ticket: Ticket): void {
    this.#census.leave(ticket);
  }

  /** What one that was let in may do with a newer token, if it may go on. */
  async renew({ access, request }: Visitor, token: string): Promise<RoomAccess | Denial> {
    if (this.#authenticate === null || request === null) return access;
    const renewed = await this.#ask({ ...request, token, headers: {} });
    if (!renewed.ok) return renewed;
    if (renewed.access.user?.id !== access.user?.id || renewed.access.lobby !== access.lobby) {
      return denial("forbidden", Close.notAllowed, "the token is another user's, or of another lobby");
    }
    return renewed.access;
  }

  #settle(decision: Decision, ticket: Ticket): Decision {
    const refused = decision.ok
      ? this.#census.enter(ticket, decision.access.user?.id ?? null, decision.room)
      : decision;
    if (refused === null) return decision;
    this.#census.leave(ticket);
    return refused;
  }

  #decide({ target, token, origin, address, headers }: Knock, ticket: Ticket): Decision | Promise<Decision> {
    const { origins } = this.#options;
    if (origin !== null && origins.length > 0 && !origins.includes(origin.toLowerCase())) {
      return denial("origin", Close.notAllowed, "pages from your origin are not allowed");
    }
    const asked = admit(target);
    if (!asked.ok) return asked;
    const { room, lobby } = asked;
    if (this.#authenticate === null) {
      return { ok: true, room, access: openAccess(lobby), request: null, ticket };
    }
    const request = { room, lobby, origin, address };
    return this.#ask({ ...request, token, headers }).then((granted) =>
      granted.ok ? { ok: true, room, access: granted.access, request, ticket } : granted,
    );
  }

  /** Never fails, and takes no longer than the handshake may. */
  async #ask(request: AccessRequest): Promise<ReturnType<typeof accessTo>> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<typeof LATE>((resolve) => {
      timer = setTimeout(() => resolve(LATE), this.#options.handshakeTimeout);
    });
    try {
      // a function that throws at once is no different
      const answer = await Promise.race([(async () => this.#authenticate?.(request))(), late]);
      if (answer === LATE) {
        this.#onError(new Error(`authentication takes longer than ${this.#options.handshakeTimeout} ms`));
        return unavailable("authentication takes too long");
      }
      const read = readAnswer(answer);
      if (read.ok) return accessTo(read.identity, request.room, request.lobby);
      const { code, reason } = read.refusal;
      return denial(BECAUSE[code], code, reason);
    } catch (error) {
      this.#onError(error);
      return unavailable("authentication is not available");
    } finally {
      clearTimeout(timer);
    }
  }
}

const LATE = Symbol("late");
const BECAUSE = { 4401: "unauthenticated", 4403: "forbidden", 4501: "expired", 4503: "unavailable" } as const;

function unavailable(reason: string): Denial {
  return denial("unavailable", Close.overloaded, reason);
}
