/** A room of its own for one check, with the people who act in it. */
import { randomBytes } from "node:crypto";
import type { Dialect } from "./peer/dialect.ts";
import { Peer, type State } from "./peer/peer.ts";

/** The server that is looked at. */
export interface Target {
  readonly dialect: Dialect;
  /** Where it is, without the room. */
  readonly base: URL;
  /** What the names of the rooms begin with. */
  readonly prefix: string;
  /** Tokens of Alice, Bob and Mallory; a shorter list: its last one is also of those who come after. Empty: none. */
  readonly tokens: readonly string[];
  /** The origin of the application's pages; null: it is not known. */
  readonly origin: string | null;
}

/** How a peer comes, where it is not as everybody does. */
export interface Arrival {
  /** What it announces of itself. Default: a user of its name. null: nothing. */
  readonly state?: State | null;
  readonly token?: string | null;
  readonly origin?: string | null;
}

/** Longest time in which people who are in a room together are seen by each other, ms. */
const MEET_MS = 5_000;
const LOOK_MS = 10;

/** A check could not be tried, since something came in between that it is not about. */
export class Untried extends Error {}

export class Scene {
  readonly target: Target;
  readonly room: string;
  readonly #peers: Peer[] = [];

  constructor(target: Target) {
    this.target = target;
    this.room = `${target.prefix}${randomBytes(9).toString("hex")}`;
  }

  /** The state of a user; each has a name, and an id made of it. */
  static stateOf(name: string): State {
    return { user: { id: `verify-${name.toLowerCase()}`, name } };
  }

  /** Lets somebody into the room. */
  async enter(name: string, arrival: Arrival = {}): Promise<Peer> {
    const peer = this.invite(name, arrival);
    await peer.open();
    return peer;
  }

  /** Somebody who has not connected yet. */
  invite(name: string, { state = Scene.stateOf(name), token, origin }: Arrival = {}): Peer {
    const { dialect, base, tokens, origin: pages } = this.target;
    const place = ["Alice", "Bob", "Mallory"].indexOf(name);
    const own = (place === -1 ? tokens[0] : tokens[place]) ?? tokens.at(-1) ?? null;
    const peer = new Peer({
      dialect,
      base,
      room: this.room,
      state,
      token: token === undefined ? own : token,
      origin: origin === undefined ? pages : origin,
    });
    this.#peers.push(peer);
    return peer;
  }

  /** Alice and Bob, who see each other. @throws Untried if they do not */
  async meet(): Promise<{ readonly alice: Peer; readonly bob: Peer }> {
    const alice = await this.enter("Alice");
    const bob = await this.enter("Bob");
    const ms = await this.until(() => alice.sees(bob.id) && bob.sees(alice.id), MEET_MS);
    if (ms === null) throw new Untried(`Alice and Bob did not see each other within ${MEET_MS / 1_000} s`);
    return { alice, bob };
  }

  /** How long it took until something was so, ms; null: it was not so in time. */
  async until(condition: () => boolean, limitMs: number): Promise<number | null> {
    const startedAt = performance.now();
    while (!condition()) {
      if (performance.now() - startedAt > limitMs) return null;
      await this.pause(LOOK_MS);
    }
    return performance.now() - startedAt;
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(resolve, ms);
    });
  }

  /** Ends all connections. */
  close(): void {
    for (const peer of this.#peers) peer.destroy();
  }
}
