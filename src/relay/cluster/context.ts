/** What the parts of a cluster share. */
import type { Hub } from "../core/hub.ts";
import type { Message, MessageKind, Topics } from "./message.ts";
import type { Numbers } from "./sequence.ts";

export interface ClusterStats {
  /** Times that something was missing of what another relay said, and was asked for. */
  gaps: number;
  /** Messages that could not be read, or were not signed. */
  refused: number;
  /** How long the own beat last took to come back, ms; null: it did not yet. */
  echoMs: number | null;
}

export interface ClusterContext {
  readonly hub: Hub;
  readonly topics: Topics;
  readonly stats: ClusterStats;
  readonly numbers: Numbers;
  publish(topic: string, kind: MessageKind, room: string, seq: number, body: Uint8Array): void;
  /** Says something to one relay alone. */
  tell(relay: string, kind: MessageKind, room: string, body?: Uint8Array): void;
  subscribe(topic: string, on: (message: Message) => void): () => void;
  /** How many relays listen to a topic, this one too; null: the bus cannot tell. */
  listeners(topic: string): Promise<number> | null;
  /** How many other relays are heard. */
  readonly relaysSeen: number;
}

export const NOTHING: Uint8Array = new Uint8Array();
