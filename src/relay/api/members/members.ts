/** Members of rooms that servers have set: each lasts until its time is over, unless it is set anew. [API-31] [API-32] */
import type { Stamp } from "../../../awareness/index.ts";
import type { Unsubscribe } from "../../../presence/index.ts";
import { awarenessFrame, decodeFrame, encode, encodeEntries } from "../../../wire/index.ts";
import { keyOf } from "../../../util/key.ts";
import type { Room } from "../../core/room.ts";
import type { LinkedHub } from "../../wiring/linked-hub.ts";
import { ApiError } from "../answers/error.ts";
import type { MemberBody } from "../input/schemas.ts";
import { ServerMember } from "./server-member.ts";

/** Where a member is, and by which name its server knows it. */
export interface MemberPlace {
  readonly room: string;
  /** The lobby, as a room, that it counts in. */
  readonly lobby: string;
  readonly session: string;
}

export interface SetMember {
  readonly clientId: number;
  /** When it goes unless it is set anew, ms since the epoch. */
  readonly expiresAt: number;
}

interface Held {
  readonly place: MemberPlace;
  readonly member: ServerMember;
  readonly clientId: number;
  readonly userId: string;
  onBehalfOf: string | undefined;
  status: MemberBody["status"];
  /** When `status` last changed, ms since the epoch. */
  since: number;
  clock: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** How often another client id is taken, if one is somebody else's. */
const ATTEMPTS = 3;
/** A leave, as a client says it. */
const LEFT = 1000;

export class Members {
  readonly #hub: LinkedHub;
  readonly #held = new Map<string, Held>();
  /** Those who are here on behalf of a user, by room and that user. */
  readonly #onBehalf = new Map<string, Set<Held>>();
  /** Listens for those on whose behalf members are here, as long as there are any. */
  #unsubscribe: Unsubscribe | null = null;
  readonly #stopHearing: Unsubscribe;

  constructor(hub: LinkedHub) {
    this.#hub = hub;
    this.#stopHearing = hub.elsewhere?.onRemoved((place) => this.#forget(place)) ?? (() => {});
  }

  /** Sets a member, or sets it anew. Throws `ApiError` and `FrameError`, and then nothing has changed. */
  async set(place: MemberPlace, body: MemberBody, caller: string): Promise<SetMember> {
    const { elsewhere } = this.#hub;
    if (elsewhere === null) return this.#set(place, body, caller, false);
    // [API-38] in a room that is open here it is known who is there by way of other relays
    const release = await elsewhere.open(place.room);
    try {
      const before = await elsewhere.userSet(place);
      const set = this.#set(place, body, caller, before !== null);
      // somebody else was there under this session
      if (before !== null && before !== body.user.id) elsewhere.remove(place);
      return set;
    } finally {
      release();
    }
  }

  /** @param isElsewhere the member was set by way of another relay: this one takes it over */
  #set(place: MemberPlace, body: MemberBody, caller: string, isElsewhere: boolean): SetMember {
    this.#checkPerson(place, body.onBehalfOf);
    const known = this.#held.get(placeKey(place));
    const isSame = known !== undefined && known.userId === body.user.id;
    const held = isSame && !isElsewhere ? known : this.#begin(place, body, caller, isElsewhere);
    this.#say(held, body);
    // somebody else was here under this session
    if (known !== undefined && known !== held) this.#end(known);
    this.#held.set(placeKey(place), held);
    this.#setOnBehalfOf(held, body.onBehalfOf);
    clearTimeout(held.timer);
    held.timer = setTimeout(() => this.#end(held), body.ttlMs);
    return { clientId: held.clientId, expiresAt: Math.round(this.#hub.core.clock.wall() + body.ttlMs) };
  }

  /** Takes a member out at once. Returns whether there was one. */
  async remove(place: MemberPlace): Promise<boolean> {
    if (this.#forget(place)) return true;
    const { elsewhere } = this.#hub;
    if (elsewhere === null || (await elsewhere.userSet(place)) === null) return false;
    elsewhere.remove(place);
    return true;
  }

  close(): void {
    this.#stopHearing();
    for (const { timer } of this.#held.values()) clearTimeout(timer);
    this.#held.clear();
    this.#onBehalf.clear();
    this.#watch();
  }

  /** Joins the room under an id that nobody has. */
  #begin(place: MemberPlace, body: MemberBody, caller: string, isElsewhere: boolean): Held {
    const { core } = this.#hub;
    this.#checkLobby(place, caller);
    this.#checkSession(place, body.user.id, isElsewhere);
    const access = { user: stampOf(body.user), lobby: place.lobby, presence: true, write: false };
    const member = new ServerMember(
      caller,
      access,
      () => core.clock.now(),
      () => this.#closed(held),
    );
    core.join(member, place.room);
    const held: Held = {
      place,
      member,
      clientId: freeId(core.rooms.get(place.room)),
      userId: body.user.id,
      onBehalfOf: undefined,
      status: body.status,
      since: Math.round(core.clock.wall()),
      clock: 0,
      timer: undefined,
    };
    return held;
  }

  /** Says the state of a member, as a client of ours says its own. */
  #say(held: Held, body: MemberBody): void {
    const { core } = this.#hub;
    const { user, meta, state, status, device, agent, onBehalfOf } = body;
    const since = status === held.status ? held.since : Math.round(core.clock.wall());
    const copresence = {
      session: held.place.session,
      status,
      device,
      since,
      meta,
      ...((agent || onBehalfOf !== undefined) && { agent: true }),
      ...(onBehalfOf !== undefined && { onBehalfOf }),
    };
    const whole = encode(JSON.stringify({ ...state, user, copresence }));
    const entry = { id: held.clientId, clock: held.clock + 1, state: whole };
    const before = held.member.access;
    // [API-32] also under another name than before
    held.member.access = { ...before, user: stampOf(user) };
    try {
      core.receive(held.member, decodeFrame(awarenessFrame(encodeEntries([entry]))), core.clock.now());
    } catch (error) {
      held.member.access = before;
      // one that is new and finds no room was never here
      if (held.clock === 0) core.leave(held.member, LEFT, core.clock.now());
      throw error;
    }
    held.clock++;
    held.status = status;
    held.since = since;
  }

  /** [API-33] It is here for somebody, who has to be here, and to be seen. */
  #checkPerson({ room, lobby }: MemberPlace, person: string | undefined): void {
    if (person === undefined || this.#isHere(room, lobby, person)) return;
    throw new ApiError(409, "not_here", "the user on whose behalf the member is to be here is not in this room");
  }

  #isHere(room: string, lobby: string, userId: string): boolean {
    return this.#hub.core.rooms.get(room)?.people.usersIn(lobby).has(userId) === true;
  }

  /** A session that a tab has is not taken from it. */
  #checkSession({ room, lobby, session }: MemberPlace, userId: string, isElsewhere: boolean): void {
    for (const { claim, owner, lobby: where, isRemote } of this.#hub.core.rooms.get(room)?.register.present() ?? []) {
      const isSame = where === lobby && claim.user.id === userId && claim.session.id === session;
      if (!isSame || owner === null || owner instanceof ServerMember || (isRemote && isElsewhere)) continue;
      throw new ApiError(
        409,
        "session_in_use",
        "a connection of this user has this session: choose another name for it",
      );
    }
  }

  #checkLobby({ lobby }: MemberPlace, caller: string): void {
    const refused = this.#hub.core.lobbyPlaces.refusal(lobby, { address: `api:${caller}`, user: null });
    if (refused !== null) throw new ApiError(503, "overloaded", refused.reason, { retryAfterS: 5 });
  }

  /** Returns whether there was such a member. */
  #forget(place: MemberPlace): boolean {
    const held = this.#held.get(placeKey(place));
    if (held !== undefined) this.#end(held);
    return held !== undefined;
  }

  #end(held: Held): void {
    clearTimeout(held.timer);
    if (this.#held.get(placeKey(held.place)) === held) this.#held.delete(placeKey(held.place));
    this.#setOnBehalfOf(held, undefined);
    this.#hub.core.leave(held.member, LEFT, this.#hub.core.clock.now());
  }

  /** The relay has ended it, in the midst of something else. */
  #closed(held: Held): void {
    queueMicrotask(() => this.#end(held));
  }

  /** Notes on whose behalf a member is here. @param userId undefined: on nobody's */
  #setOnBehalfOf(held: Held, userId: string | undefined): void {
    const { room } = held.place;
    if (held.onBehalfOf !== undefined) {
      const key = keyOf(room, held.onBehalfOf);
      const others = this.#onBehalf.get(key);
      if (others?.delete(held) === true && others.size === 0) this.#onBehalf.delete(key);
    }
    held.onBehalfOf = userId;
    if (userId !== undefined) {
      const key = keyOf(room, userId);
      this.#onBehalf.set(key, (this.#onBehalf.get(key) ?? new Set()).add(held));
    }
    this.#watch();
  }

  /** Listens for those who leave while somebody is here on their behalf, and not otherwise. */
  #watch(): void {
    if (this.#onBehalf.size === 0) {
      this.#unsubscribe?.();
      this.#unsubscribe = null;
    } else {
      this.#unsubscribe ??= this.#hub.events.on("leave", ({ roomId, userId }) => this.#left(roomId, userId));
    }
  }

  /** [API-33] Somebody left a room: those who were here on their behalf go, too. */
  #left(room: string, userId: string): void {
    for (const held of this.#onBehalf.get(keyOf(room, userId)) ?? []) this.#closed(held);
  }
}

function placeKey({ room, lobby, session }: MemberPlace): string {
  return keyOf(room, lobby, session);
}

/** As whom others see a member. */
function stampOf({ id, name, color, avatar }: MemberBody["user"]): Stamp {
  return {
    id,
    ...(name !== undefined && { name }),
    ...(color !== undefined && { color }),
    ...(avatar !== undefined && { avatar }),
  };
}

/** A client id that nobody in the room has. */
function freeId(room: Room | undefined): number {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const [id = 0] = crypto.getRandomValues(new Uint32Array(1));
    if (room?.register.get(id) === undefined) return id;
  }
  throw new ApiError(503, "overloaded", "no client id was free: try again", { retryAfterS: 1 });
}
