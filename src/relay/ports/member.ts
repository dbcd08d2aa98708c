/** Who takes part in a room: never a socket. */
import type { Author } from "../../awareness/index.ts";
import type { RoomAccess } from "./access.ts";
import type { Packet } from "./packet.ts";

/** An author is charged for this part of the time that it takes to hand a message on: most of that time is due to how many listen. [COST-7] */
export const FAN_OUT_PART: number = 1 / 4;

/** One per connection and room; another relay is one, too. */
export interface Member extends Author {
  /** What it may do, as whom, and the lobby that it counts in. Only when it ends may change. */
  readonly access: RoomAccess;
  /** When it last gave a sign of life, monotonic ms. */
  readonly lastSeen: number;
  /** It says now and then that it reads: on purpose, or because it sends back what it hears. */
  answers: boolean;
  /** It does not read what it is sent: what is not news for ever had better wait until it has. */
  readonly lagging: boolean;
  /** All members through which its client is in rooms, itself among them. Of another relay, and of a server's word: none. */
  readonly companions: readonly Member[];
  /** Sends one message; its bytes are not changed afterwards by either side. */
  send(packet: Packet): void;
  /** What is sent from now on leaves with `uncork`, in one write. */
  cork(): void;
  uncork(): void;
  /** Something that it said has taken so long to act on later, ms. */
  charge(ms: number): void;
  /** Ends the connection. What was sent before still arrives, but to one that reads nothing. */
  close(code: number, reason: string): void;
}

/** Whether what something came from is another relay. */
export function isRelay(from: unknown): boolean {
  return typeof from === "object" && from !== null && "kind" in from && from.kind === "relay";
}
