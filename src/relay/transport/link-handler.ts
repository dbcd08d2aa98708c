/** What a link is made with, and what it needs of `Links`, which holds all links of a relay. */
import type { Frame } from "../../wire/index.ts";
import type { Tariff } from "../flow/meter.ts";
import type { Turns } from "../flow/turns.ts";
import type { Debtor, UnsentData } from "../flow/unsent.ts";
import type { UnfinishedData } from "../flow/unfinished.ts";
import type { Clock } from "../ports/clock.ts";
import type { Probe } from "../ports/probe.ts";
import type { Addressing } from "./addressing.ts";
import type { Channel } from "./channel.ts";
import type { LinkHost } from "./link-host.ts";

export interface LinkSetup {
  /** Where the socket comes from, as limits count addresses. */
  readonly address: string;
  /** Who pays for the time that the link takes: the id of its user, or else its address. */
  readonly payer: string;
  /** How messages say which channel they are of; null: the link has one channel alone, and ends with it. */
  readonly addressing: Addressing | null;
  /** Acts on messages to the link itself; null: there may be none. */
  readonly host?: LinkHost | null;
}

export interface LinkHandler {
  readonly clock: Clock;
  readonly tariff: Tariff;
  readonly turns: Turns;
  readonly unsent: UnsentData;
  readonly probe: Probe;
  /** How much of the relay's time since its start is not charged to those whose messages it was spent on, ms. [COST-7] [COST-13] */
  readonly sparedMs: number;
  /** Throws `FrameError` when the frame breaks the protocol. */
  frame(channel: Channel, frame: Frame, now: number): void;
  /** The page at the other end of a channel fell silent, or spoke again. */
  silence(channel: Channel): void;
  /** A channel has read all that it was sent, after it lagged. */
  drained(channel: Channel): void;
  /** Too much waits to be sent, over all links. */
  unsentIsOver(): void;
  readonly unfinishedData: UnfinishedData;
  /** Too much of messages has come in that are not whole, over all links. */
  unfinishedIsOver(): void;
  /** Acting on a frame failed in a way that nobody has foreseen. */
  failed(error: unknown): void;
  /** A channel is over; called once. */
  left(channel: Channel, code: number, now: number): void;
  /** A link is over, after all of its channels; called once. */
  ended(link: Debtor): void;
}
