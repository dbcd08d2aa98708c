/** What a hub, and each of its rooms, is made with. */
import type { AdmitUsers, PresentEntry, RegisterLimits, StateMemory } from "../../awareness/index.ts";
import type { PresenceEvent } from "../../presence/index.ts";
import type { Clock } from "../ports/clock.ts";
import type { Member } from "../ports/member.ts";
import type { Probe } from "../ports/probe.ts";
import type { DocumentStore } from "../ports/stores/document-store.ts";
import type { MemoryBudget } from "../util/budget.ts";
import type { Dropped } from "./counters.ts";
import type { FlushLoad } from "./flush/pace.ts";
import type { Rush } from "./grace/rush.ts";

/** What each room of a hub is made with. */
export interface RoomSetup {
  readonly limits: RegisterLimits;
  /** From 0 to 1: tells this relay from others. */
  readonly tie: number;
  /** Counts what the states of all rooms take. */
  readonly stateMemory: StateMemory;
  /** Counts what the remembered people take who left lobbies. */
  readonly leaverMemory: MemoryBudget;
  /** Counts the one-off messages that wait for those who do not read fast enough. */
  readonly messageMemory: MemoryBudget;
  /** Shortest time between two flushes, ms. */
  readonly tick: number;
  /** How many cursors it shows; 0: all. */
  readonly maxCursors: number;
  readonly clock: Clock;
  readonly load: FlushLoad;
  readonly rush: Rush;
  readonly probe: Probe;
  /** How this relay dates something now, ms since the epoch: not earlier than it has heard from other relays. */
  readonly date: () => number;
  /** What the clock of a new client id begins with. */
  readonly firstClock: () => number;
  /** Says whether users may be brought into a lobby. Throws `FrameError`. */
  readonly admitUsers: AdmitUsers;
  /** Told of users of a lobby whose records in the store have to be written or removed. */
  readonly onKnown: (lobby: string, userIds: readonly string[]) => void;
  /** Told who came and went in the room, once somebody observes it. */
  readonly onEvents: (events: readonly PresenceEvent[]) => void;
  /** The ids of users who are in the rooms that a member's client is in, at most so many. */
  readonly usersBeside: (member: Member, most: number) => ReadonlySet<string>;
  /** Whether it is not known yet if others may see somebody. */
  readonly isWithheld: (entry: PresentEntry) => boolean;
  /** Counts something that was dropped since the grant for it was missing. */
  readonly onDropped: (what: Dropped) => void;
}

/** What a hub needs of the world. */
export interface HubPorts {
  readonly clock: Clock;
  /** Where documents, and people, outlive the relay; null: nowhere. */
  readonly store: DocumentStore | null;
  /** Whether rooms have documents. */
  readonly hasDocuments: boolean;
  /** Says what part of the time the process has been busy since it was asked last: 0 to 1. Default: never. */
  readonly busySince?: () => number;
  readonly probe: Probe;
}
