/**
 * Who is let in, where to, and as whom. Where nobody is asked who connects, that is decided at once.
 *
 * A refusal is said after the handshake, as a close code: a browser does not see the status of a handshake that failed,
 * and would try again for ever.
 */
import { Close } from "../../wire/index.ts";
import { type Admission, admit, admitRoom, lobbyOf } from "./request.ts";
import type { RoomAccess } from "../ports/access.ts";
import { addressKey } from "./address.ts";
import { ConnectionLimits, type ConnectionLimitOptions, type Lease, type Stay } from "./connection-limits.ts";
import { type Denial, accessTo, denial, isDenial, openAccess } from "./grants.ts";
import { type AccessRequest, type Authenticate, readAnswer } from "./identity.ts";
import { KeySetError } from "./tokens/key-set.ts";
import type { LobbyPlaces } from "./lobby-places.ts";

/** What is known of a connection when it is opened. */
export interface ConnectRequest {
  /** `/<room>?params` */
  readonly target: string;
  readonly token: string | null;
  readonly origin: string | null;
  readonly address: string;
  readonly headers: AccessRequest["headers"];
}

/** One that was let in. */
export interface Authorized {
  readonly ok: true;
  readonly room: string;
  readonly access: RoomAccess;
  /** What its identity was asked with, if anybody asked. */
  readonly request: Omit<AccessRequest, "token" | "headers"> | null;
  readonly lease: Lease;
  /** Where the lease counts for it. */
  readonly stay: Stay;
}

export type Decision = Authorized | Denial;

/** A link that was let in, of whose rooms none is known yet. */
export interface AuthorizedLink {
  readonly ok: true;
  readonly lease: Lease;
  /** The lobby that its rooms count in, unless the token says otherwise. */
  readonly lobby: string;
  readonly asked: ConnectRequest;
}

export interface AuthorizerOptions extends ConnectionLimitOptions {
  readonly origins: readonly string[];
  readonly handshakeTimeout: number;
}

export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #authenticate: Authenticate | null;
  /** Never throws. */
  readonly #onError: (error: unknown) => void;
  readonly #limits: ConnectionLimits;
  /** Ends the wait for each answer that is still to come. */
  readonly #waits = new Set<() => void>();
  #isClosed = false;
  #keySetReportedAt = -Infinity;

  constructor(
    options: AuthorizerOptions,
    authenticate: Authenticate | null,
    lobbies: LobbyPlaces,
    onError: (error: unknown) => void,
  ) {
    this.#options = options;
    this.#authenticate = authenticate;
    this.#onError = onError;
    this.#limits = new ConnectionLimits(options, lobbies);
  }

  /** Whether everybody is let in as the user that they claim to be. */
  get open(): boolean {
    return this.#authenticate === null;
  }

  /** Decides who is let in, at once if nobody has to be asked. One that is let in must `leave` with its lease. [AUTH-1] */
  authorize(asked: ConnectRequest, now: number): Decision | Promise<Decision> {
    const lease = this.#limits.connect(addressKey(asked.address), now);
    if (isDenial(lease)) return lease;
    const decision = this.#decide(asked, lease);
    if (!(decision instanceof Promise)) return this.#settle(decision, lease);
    return decision.then((decided) => this.#settle(decided, lease));
  }

  /** Lets in a link. Who it is, is asked with each of its rooms. One that is let in must `leave` with its lease. */
  authorizeLink(asked: ConnectRequest, now: number): AuthorizedLink | Denial {
    const lease = this.#limits.connect(addressKey(asked.address), now);
    if (isDenial(lease)) return lease;
    const lobby = this.#isAllowedOrigin(asked.origin) ? lobbyOf(asked.target) : WRONG_ORIGIN;
    if (typeof lobby === "string") return { ok: true, lease, lobby, asked };
    this.#limits.leave(lease);
    return lobby;
  }

  /** Decides who is let in to a room of a link. One that is let in must `leaveRoom`. */
  authorizeRoom(
    { asked, lease, lobby }: AuthorizedLink,
    room: string,
    token: string | null,
  ): Decision | Promise<Decision> {
    const admitted = admitRoom(room, lobby);
    const decision = admitted.ok ? this.#decideRoom(admitted, { ...asked, token }, lease) : admitted;
    if (!(decision instanceof Promise)) return this.#enter(decision, lease);
    return decision.then((decided) => this.#enter(decided, lease));
  }

  leaveRoom({ lease, stay }: Authorized): void {
    this.#limits.exit(lease, stay);
  }

  leave(lease: Lease): void {
    this.#limits.leave(lease);
  }

  /** Waits for no answer any longer: what is asked now is refused. [AUTH-12] */
  close(): void {
    this.#isClosed = true;
    for (const end of this.#waits) end();
  }

  /** What one that was let in may do with a newer token, if it may go on. [AUTH-5] */
  async renew({ access, request }: Authorized, token: string): Promise<RoomAccess | Denial> {
    if (this.#authenticate === null || request === null) return access;
    const renewed = await this.#ask({ ...request, token, headers: {} });
    if (!renewed.ok) return renewed;
    // [AUTH-13] the newer token must be of the same user and lobby
    if (renewed.access.user?.id !== access.user?.id || renewed.access.lobby !== access.lobby) {
      return denial("forbidden", Close.notAllowed, "the token is another user's, or of another lobby");
    }
    return renewed.access;
  }

  /** [KEY-6] A set that cannot be had fails for each connection, and is reported once a second at most. */
  #report(error: unknown): void {
    if (error instanceof KeySetError) {
      const now = performance.now();
      if (now - this.#keySetReportedAt < REPORT_MS) return;
      this.#keySetReportedAt = now;
    }
    this.#onError(error);
  }

  #settle(decided: Decision, lease: Lease): Decision {
    const decision = this.#enter(decided, lease);
    if (!decision.ok) this.#limits.leave(lease);
    return decision;
  }

  /** Counts it in its room. */
  #enter(decision: Decision, lease: Lease): Decision {
    return (decision.ok ? this.#limits.enter(lease, decision.stay) : null) ?? decision;
  }

  /** A page of an origin that may not connect is not let in; what says no origin is no browser. [AUTH-9] */
  #isAllowedOrigin(origin: string | null): boolean {
    const { origins } = this.#options;
    return origin === null || origins.length === 0 || origins.includes(origin.toLowerCase());
  }

  #decide(asked: ConnectRequest, lease: Lease): Decision | Promise<Decision> {
    if (!this.#isAllowedOrigin(asked.origin)) return WRONG_ORIGIN;
    const admitted = admit(asked.target);
    return admitted.ok ? this.#decideRoom(admitted, asked, lease) : admitted;
  }

  #decideRoom(
    { room, lobby }: Extract<Admission, { readonly ok: true }>,
    { token, origin, address, headers }: ConnectRequest,
    lease: Lease,
  ): Decision | Promise<Decision> {
    if (this.#authenticate === null) return authorized(room, openAccess(lobby), null, lease);
    const request = { room, lobby, origin, address };
    return this.#ask({ ...request, token, headers }).then((granted) =>
      granted.ok ? authorized(room, granted.access, request, lease) : granted,
    );
  }

  /** Never fails, and takes no longer than the handshake may. [AUTH-3] */
  async #ask(request: AccessRequest): Promise<ReturnType<typeof accessTo>> {
    if (this.#isClosed) return unavailable("the relay is stopping");
    const { handshakeTimeout } = this.#options;
    let end: (() => void) | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ended = new Promise<typeof LATE | typeof CLOSED>((resolve) => {
      timer = setTimeout(() => resolve(LATE), handshakeTimeout);
      end = () => resolve(CLOSED);
      this.#waits.add(end);
    });
    try {
      // [AUTH-1] a function that throws at once is no different; an answer that comes too late is ignored
      const answer = await Promise.race([(async () => this.#authenticate?.(request))(), ended]);
      if (answer === CLOSED) return unavailable("the relay is stopping");
      if (answer === LATE) {
        this.#report(new Error(`authentication takes longer than ${handshakeTimeout} ms`));
        return unavailable("authentication takes too long");
      }
      const read = readAnswer(answer);
      if (read.ok) return accessTo(read.identity, request.room, request.lobby);
      const { code, reason } = read.refusal;
      return denial(BECAUSE[code], code, reason);
    } catch (error) {
      this.#report(error);
      return unavailable("authentication is not available");
    } finally {
      clearTimeout(timer);
      if (end !== undefined) this.#waits.delete(end);
    }
  }
}

function authorized(room: string, access: RoomAccess, request: Authorized["request"], lease: Lease): Authorized {
  const stay: Stay = { user: access.user?.id ?? null, room, lobby: access.lobby };
  return { ok: true, room, access, request, lease, stay };
}

const WRONG_ORIGIN: Denial = denial("origin", Close.notAllowed, "pages from your origin are not allowed");

const REPORT_MS = 1_000;
const LATE = Symbol("late");
const CLOSED = Symbol("closed");
const BECAUSE = { 4401: "unauthenticated", 4403: "forbidden", 4501: "expired", 4503: "unavailable" } as const;

function unavailable(reason: string): Denial {
  return denial("unavailable", Close.overloaded, reason);
}
