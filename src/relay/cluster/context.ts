/** What the parts of a cluster share. */
import type { Hub } from "../core/hub.ts";
import type { Inquiries } from "./inquiries/inquiries.ts";
import type { Message, MessageKind, Topics } from "./message.ts";
import type { Numbers } from "./topic/sequence.ts";

export interface ClusterStats {
  /** How often a message of another relay was missing, and all was asked for. */
  gaps: number;
  /** Messages that could not be read, or were not signed. */
  refused: number;
  /** How long the own beat last took to come back, ms; null: none has come back yet. */
  echoMs: number | null;
}

export interface ClusterInfo extends ClusterStats {
  /** Whether the bus carries what this relay says. */
  readonly isUp: boolean;
  /** How many other relays are heard. */
  readonly relays: number;
  /** Messages that were not sent, since too much waited to be sent. */
  readonly dropped: number;
}

export interface ClusterContext {
  readonly hub: Hub;
  readonly topics: Topics;
  readonly stats: ClusterStats;
  readonly numbers: Numbers;
  publish(topic: string, kind: MessageKind, room: string, seq: number, body: Uint8Array): void;
  /** Says something to one relay alone. */
  tell(relay: string, kind: MessageKind, room: string, body?: Uint8Array): void;
  /** Does what another relay's message brings about: when that fails it is reported, and harms nothing else. [BUS-2] */
  guarded(act: () => void): void;
  subscribe(topic: string, on: (message: Message) => void): () => void;
  /** How many relays listen to a topic, this one too; null: the bus cannot tell. */
  listeners(topic: string): Promise<number> | null;
  /** Whether there may be other relays: some are heard, or this one is so new that it cannot know. */
  readonly mayHaveOthers: boolean;
  readonly inquiries: Inquiries;
  /** Whether no other relay can be asked anything: there is none, or the bus is lost. */
  readonly isAlone: boolean;
  /** Calls back once this relay has heard of the relays that were there before it, or does not wait for them any more. */
  whenIntroduced(run: () => void): void;
}

export const NOTHING: Uint8Array = new Uint8Array();
