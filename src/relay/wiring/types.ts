/** What a hub is made with, and what it says of itself. */
import type { User } from "../../presence/index.ts";
import type { DocumentCounts, StoreMetrics } from "../documents/index.ts";
import type { Bus } from "../ports/bus.ts";
import type { Clock } from "../ports/clock.ts";
import type { EventSink } from "../ports/event-sink.ts";
import type { Probe } from "../ports/probe.ts";
import type { DocumentStore } from "../ports/stores/document-store.ts";
import type { BusMetrics } from "./readiness.ts";

export interface RoomInfo {
  readonly name: string;
  /** Open connections. */
  readonly connections: number;
  /** Who is present, as others see them. */
  readonly users: readonly User[];
  /** Whether the relay holds a document for the room; one that only carries presence has none. */
  readonly hasDocument: boolean;
}

/** What the hub counts about itself. */
export interface HubMetrics {
  /** Channels that are open now: a stock client has one for each connection. */
  readonly connections: number;
  /** With somebody in them now, lobbies not among them. */
  readonly rooms: number;
  /** Present now, over all lobbies. */
  readonly users: number;
  /** Bytes that wait to be sent, over all links. */
  readonly unsentBytes: number;
  /** Bytes of all awareness states. */
  readonly stateBytes: number;
  /** Documents of rooms, also of those that nobody is in. */
  readonly documents: DocumentCounts;
  /** What the store of documents does; null: there is none. */
  readonly store: StoreMetrics | null;
  /** How the bus fares; null: there is none. */
  readonly bus: BusMetrics | null;
}

/** What a hub may be made with. */
export interface LinkedHubSetup {
  readonly clock?: Clock;
  /** Where documents outlive the hub. Default: nowhere. */
  readonly store?: DocumentStore | null;
  /** Whether rooms have documents. Default: true. */
  readonly hasDocuments?: boolean;
  /** Says what part of the time this process has been busy since it was asked last: 0 to 1. Default: as Node has it. */
  readonly busySince?: () => number;
  /** Joins it to other hubs. Default: it is alone. */
  readonly bus?: Bus | null;
  /** What the names of its topics begin with. Default `cp1:`. */
  readonly busPrefix?: string;
  /** Signs what is said on it. Default: nothing is signed. */
  readonly busSecret?: string | null;
  /** Messages on it that are longer go in parts of this length, bytes. Default: 256 KiB. */
  readonly busPartBytes?: number;
  /** Where events go besides listeners. Default: nowhere. */
  readonly sinks?: readonly EventSink[];
  /** Told when the document of a room changes. */
  readonly onEdit?: (room: string) => void;
  /** Told when a room or lobby is not open here any more. */
  readonly onClosed?: (room: string) => void;
  /** Measures it. Default: nothing is measured. */
  readonly probe?: Probe;
}
