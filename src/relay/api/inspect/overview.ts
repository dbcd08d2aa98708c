/** What an operator sees of a relay at a glance: its numbers, its largest rooms, and the sockets that read slowest. */
import type { LinkedHub } from "../../wiring/linked-hub.ts";
import type { Hub } from "../../core/hub.ts";
import type { Room } from "../../core/room.ts";
import type { Link } from "../../transport/link.ts";

/** So many rooms and sockets are listed. */
export const MAX_LISTED = 200;

export interface Overview {
  readonly now: number;
  readonly relay: {
    readonly shard: string;
    readonly users: number;
    readonly rooms: number;
    readonly connections: number;
    readonly sockets: number;
    readonly unsentBytes: number;
    readonly stateBytes: number;
    /** How many other relays are heard on the bus; null: there is none. */
    readonly otherRelays: number | null;
    readonly trouble: string | null;
  };
  readonly rooms: readonly RoomLine[];
  readonly sockets: readonly SocketLine[];
}

export interface RoomLine {
  readonly name: string;
  readonly users: number;
  readonly connections: number;
  /** Of these connections, those of y-websocket clients. */
  readonly stock: number;
  readonly hasDocument: boolean;
}

export interface SocketLine {
  readonly address: string;
  readonly kind: "stock" | "native" | "relay";
  /** Who is there through it: by its token, or by what it says; null: nobody. */
  readonly user: string | null;
  readonly rooms: number;
  readonly unsentBytes: number;
  /** For how long it has given no sign of life, ms. */
  readonly quietMs: number;
  /** Its network answers, but its page has long said nothing. */
  readonly silent: boolean;
}

/** What of it is listed besides its numbers. [INSP-6] */
export type Listed = "rooms" | "sockets" | "none";

/** @param listed default: both rooms and sockets */
export function overviewOf(hub: LinkedHub, listed?: Listed): Overview {
  const { core } = hub;
  const metrics = hub.metrics();
  return {
    now: Math.round(core.clock.wall()),
    relay: {
      shard: core.shard,
      users: metrics.users,
      rooms: metrics.rooms,
      connections: metrics.connections,
      sockets: hub.links,
      unsentBytes: metrics.unsentBytes,
      stateBytes: metrics.stateBytes,
      otherRelays: hub.cluster?.relays ?? null,
      trouble: core.trouble,
    },
    rooms: listed === undefined || listed === "rooms" ? roomLines(core) : [],
    sockets: listed === undefined || listed === "sockets" ? socketLines(hub) : [],
  };
}

function roomLines({ rooms }: Hub): readonly RoomLine[] {
  return most([...rooms.values()], ({ members }) => members.size).map(roomLine);
}

function socketLines(hub: LinkedHub): readonly SocketLine[] {
  const who = namesIn(hub.core);
  const now = hub.core.clock.now();
  return most([...hub.sockets()], ({ unsent }) => unsent).map((link) => socketLine(link, now, who));
}

function roomLine({ name, members, connections, users, document }: Room): RoomLine {
  const stock = [...members].filter(({ kind }) => kind === "stock").length;
  return { name, users: users.size, connections, stock, hasDocument: document.isReady && document.hasContent };
}

function socketLine(link: Link, now: number, who: ReadonlyMap<unknown, string>): SocketLine {
  const { address, kind, channels, unsent, lastSeen, silent } = link;
  const known = channels.find((channel) => who.has(channel));
  const user =
    (known && who.get(known)) ?? channels.find(({ access }) => access.user !== null)?.access.user?.id ?? null;
  const quietMs = Math.max(0, Math.round(now - lastSeen));
  return { address, kind, user, rooms: channels.length, unsentBytes: unsent, quietMs, silent };
}

/** Who is there through each channel. */
function namesIn({ rooms, lobbies }: Hub): ReadonlyMap<unknown, string> {
  const who = new Map<unknown, string>();
  for (const { register } of [...rooms.values(), ...[...lobbies.values()].map(({ room }) => room)]) {
    for (const { owner, claim } of register.present()) if (owner !== null) who.set(owner, claim.user.id);
  }
  return who;
}

/** Those with most of something, the most first. */
function most<T>(all: readonly T[], weight: (item: T) => number): readonly T[] {
  return all.toSorted((a, b) => weight(b) - weight(a)).slice(0, MAX_LISTED);
}
