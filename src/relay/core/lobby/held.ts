/**
 * Sessions that speak in one lobby through connections to several relays, since one of the connections is half-open: relays tell each
 * other since when the session speaks through each of them, and the connection that began last counts. [BUS-52]
 */
import type { PresentEntry } from "../../../awareness/index.ts";
import type { Directory } from "../../../lobby/index.ts";
import type { RemoteShards } from "./remote-shards.ts";

/** Since when a session speaks in a lobby through a relay. */
export interface HeldSession {
  readonly userId: string;
  readonly session: string;
  /** As `PresentEntry.heldAt`. */
  readonly heldAt: number;
}

export class HeldSessions {
  /** Tells other relays since when a session is held here that one of them names, too; null: there are none. */
  onHeld: ((held: HeldSession) => void) | null = null;
  readonly #lobby: string;
  readonly #directory: Pick<Directory<PresentEntry>, "keysOf">;
  readonly #others: Pick<RemoteShards, "names">;

  constructor(lobby: string, directory: Pick<Directory<PresentEntry>, "keysOf">, others: Pick<RemoteShards, "names">) {
    this.#lobby = lobby;
    this.#directory = directory;
    this.#others = others;
  }

  /** A connection of this relay said something. What it says in rooms, the rooms compare. [BUS-9] */
  said(entry: PresentEntry): void {
    const { claim, room, phase } = entry;
    if (room !== this.#lobby || phase !== "live") return;
    if (this.#others.names(claim.user.id, claim.session.id)) this.onHeld?.(heldBy(entry));
  }

  /** Another relay wrote something of a user. */
  heardOf(userId: string): void {
    for (const entry of this.#directory.keysOf(userId)) this.said(entry);
  }

  /** Another relay tells since when it holds a session. Returns what connections of this relay said of the session before. */
  before({ userId, session, heldAt }: HeldSession): readonly PresentEntry[] {
    const entries = this.#directory
      .keysOf(userId)
      .filter(({ claim, room }) => room === this.#lobby && claim.session.id === session);
    for (const entry of entries) if (entry.heldAt > heldAt) this.onHeld?.(heldBy(entry));
    return entries.filter((entry) => entry.heldAt < heldAt);
  }
}

function heldBy({ claim, heldAt }: PresentEntry): HeldSession {
  return { userId: claim.user.id, session: claim.session.id, heldAt };
}
