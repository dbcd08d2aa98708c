/** Why the relay shows a user as it does: what it knows of each connection, besides what is said in it. [INSP-2] */
import type { PresentEntry } from "../../../awareness/index.ts";
import { type Reason, reason } from "../../../explain/reason.ts";
import { explainUser } from "../../../explain/user.ts";
import { type User, userOf } from "../../../presence/index.ts";
import type { Hub } from "../../core/hub.ts";
import { type Clock, wallTimeOf } from "../../ports/clock.ts";

export interface ConnectionLine {
  readonly room: string;
  readonly session: string;
  readonly clientId: number;
  /** Where its author is connected. */
  readonly from: "y-websocket client" | "client" | "another relay" | "nowhere";
  readonly address: string;
  /** Others may see it. */
  readonly visible: boolean;
  readonly reasons: readonly Reason[];
}

export interface Person {
  readonly id: string;
  /** As the relay has the user, also one that others do not see; null: nobody is known by this id. */
  readonly user: User | null;
  readonly reasons: readonly Reason[];
  readonly connections: readonly ConnectionLine[];
}

/** @param lobby the lobby, as a room, that the user is meant in */
export function personIn(hub: Hub, lobby: string, id: string): Person {
  const entries = entriesOf(hub, lobby, id);
  const shown = hub.lobbies.get(lobby)?.user(id, hub.clock.now());
  // of what is said in a lobby nothing is passed on
  const inRooms = entries.filter(({ room }) => hub.rooms.has(room));
  const isHidden = inRooms.length > 0 && inRooms.every(({ visible }) => !visible);
  // others do not see one who is invisible; an operator does
  const own = userOf(
    id,
    entries.map(({ claim }) => claim),
  );
  const user = entries.length === 0 || (shown?.sessions.length ?? 0) > 0 ? shown : own;
  const factsOf = (session: string): readonly Reason[] =>
    distinct(entries.filter(({ claim }) => claim.session.id === session).flatMap((entry) => factsIn(hub, entry)));
  const hidden = isHidden ? [reason("STATUS-5", "others are told nothing of this user")] : [];
  return {
    id,
    user: user ?? null,
    reasons: [...hidden, ...explainUser(user, factsOf)],
    connections: entries.map((entry) => lineOf(hub, entry)),
  };
}

function entriesOf(hub: Hub, lobby: string, id: string): readonly PresentEntry[] {
  const found: PresentEntry[] = [];
  const rooms = [...hub.rooms.values()];
  const own = hub.lobbies.get(lobby)?.room;
  for (const { register } of own === undefined ? rooms : [...rooms, own]) {
    for (const entry of register.present()) {
      if (entry.lobby === lobby && entry.claim.user.id === id) found.push(entry);
    }
  }
  return found;
}

/** What the relay knows of a connection that its session does not say. */
function factsIn({ clock, grace }: Hub, entry: PresentEntry): readonly Reason[] {
  if (entry.isRemote) return [];
  if (entry.phase === "orphaned") {
    const loss = grace.lossOf(entry);
    if (loss === undefined)
      return [reason("LIVE-2", "reconnecting, its connection was lost", wallTimeOf(entry.lastSeen, clock))];
    const until = Math.max(0, Math.round((loss.until - clock.wall()) / 100) / 10);
    return [
      reason(
        "LIVE-2",
        `reconnecting: socket closed ${loss.code}${WORDS[loss.code] ?? ""}, leaves in ${until} s`,
        loss.at,
      ),
    ];
  }
  if (entry.owner?.silent === true) {
    return [
      reason("LIVE-8", "away: its network answers, but its page has said nothing for 75 s", lastSeenOf(entry, clock)),
    ];
  }
  return [];
}

const WORDS: Readonly<Record<number, string>> = {
  1001: " (the page was left)",
  1005: " (without a reason)",
  1006: " (cut off)",
  4501: " (its token expired)",
  4504: " (no sign of life)",
  4508: " (it read too slowly)",
  4529: " (too many messages)",
};

function lineOf(hub: Hub, entry: PresentEntry): ConnectionLine {
  const { room, claim, id, owner, isRemote, isStock, address, visible, phase } = entry;
  const from = isRemote
    ? "another relay"
    : phase === "orphaned" || owner === null
      ? "nowhere"
      : isStock
        ? "y-websocket client"
        : "client";
  return { room, session: claim.session.id, clientId: id, from, address, visible, reasons: factsIn(hub, entry) };
}

function lastSeenOf({ lastSeen }: PresentEntry, clock: Clock): number {
  return wallTimeOf(lastSeen, clock);
}

/** A session that lost its one link lost it in each of its rooms. */
function distinct(reasons: readonly Reason[]): readonly Reason[] {
  return [...new Map(reasons.map((each) => [`${each.rule} ${each.text}`, each])).values()];
}
