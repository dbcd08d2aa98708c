/** What a connection needs of the hub that it belongs to. */
import type { Frame } from "../../wire/index.ts";
import type { Clock } from "../ports/clock.ts";
import type { Connection } from "./connection.ts";
import type { ProcessorTime } from "./processor.ts";
import type { Turns } from "./turns.ts";
import type { UnsentData } from "./unsent.ts";
import type { TimeQuota } from "./work.ts";

export interface ConnectionHandler {
  readonly clock: Clock;
  readonly processor: ProcessorTime;
  readonly time: TimeQuota;
  readonly turns: Turns;
  readonly unsent: UnsentData;
  /** How long it has taken so far, since the start, to hand on to others what somebody said, ms. */
  readonly fanOutMs: number;
  /** Throws `FrameError` when the frame breaks the protocol. */
  frame(connection: Connection, frame: Frame, now: number): void;
  /** Its page fell silent, or spoke again. */
  silence(connection: Connection): void;
  /** It has read all that it was sent, after it lagged. */
  drained(connection: Connection): void;
  /** More waits to be sent than may, over all connections. */
  unsentIsOver(): void;
  /** Acting on a frame failed in a way that nobody has foreseen. */
  failed(error: unknown): void;
  /** It is over; called once. */
  closed(connection: Connection, code: number, now: number): void;
}
