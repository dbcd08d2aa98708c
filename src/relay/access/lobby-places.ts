/**
 * Which lobbies there are, and through whom each came about. A lobby has a place for as long as a connection counts in it
 * or the hub remembers somebody in it: both hold the place. Pure but for its own counts. [LIMIT-11]
 */
import { Close } from "../../wire/index.ts";
import { type Denial, denial } from "./grants.ts";

export interface LobbyLimits {
  readonly maxLobbies: number;
  readonly maxAddressLobbies: number;
  readonly maxUserLobbies: number;
}

/** Through whose connection a lobby came about. */
export interface Founder {
  /** The address key (`addressKey`). */
  readonly address: string;
  /** The user that the relay knows the connection as; null: nobody was asked. */
  readonly user: string | null;
}

interface Place {
  holders: number;
  /** The lobby counts as theirs until its place is free, though others came into it and they left. */
  readonly founder: Founder | null;
}

export class LobbyPlaces {
  readonly #limits: LobbyLimits;
  readonly #places = new Map<string, Place>();
  readonly #byAddress = new Map<string, number>();
  readonly #byUser = new Map<string, number>();

  constructor(limits: LobbyLimits) {
    this.#limits = limits;
  }

  /** How many lobbies have a place. */
  get size(): number {
    return this.#places.size;
  }

  /** Why a connection may not count in a lobby; null: it may. A lobby that has a place takes everybody. */
  refusal(lobby: string, { address, user }: Founder): Denial | null {
    if (this.#places.has(lobby)) return null;
    const { maxLobbies, maxAddressLobbies, maxUserLobbies } = this.#limits;
    // there are as many as may be, over all addresses [LIMIT-10]
    if (isFull(this.#places.size, maxLobbies)) return denial("lobbies", Close.overloaded, "too many lobbies");
    // too many of them came about through this address, or this user [LIMIT-8]
    if (isFull(this.#byAddress.get(address), maxAddressLobbies)) {
      return denial("address", Close.overloaded, "too many lobbies from your address");
    }
    if (user !== null && isFull(this.#byUser.get(user), maxUserLobbies)) {
      return denial("user", Close.overloaded, "too many lobbies of yours");
    }
    return null;
  }

  /** Holds the place of a lobby, a new one if it has none. Each `hold` needs one `release`. */
  hold(lobby: string, founder: Founder | null = null): void {
    const place = this.#places.get(lobby);
    if (place !== undefined) {
      place.holders++;
      return;
    }
    this.#places.set(lobby, { holders: 1, founder });
    if (founder === null) return;
    add(this.#byAddress, founder.address, 1);
    if (founder.user !== null) add(this.#byUser, founder.user, 1);
  }

  release(lobby: string): void {
    const place = this.#places.get(lobby);
    if (place === undefined) return;
    place.holders--;
    if (place.holders > 0) return;
    this.#places.delete(lobby);
    const { founder } = place;
    if (founder === null) return;
    add(this.#byAddress, founder.address, -1);
    if (founder.user !== null) add(this.#byUser, founder.user, -1);
  }
}

function isFull(count = 0, max: number): boolean {
  return max !== 0 && count >= max;
}

function add(counts: Map<string, number>, key: string, change: 1 | -1): void {
  const next = (counts.get(key) ?? 0) + change;
  if (next > 0) counts.set(key, next);
  else counts.delete(key);
}
