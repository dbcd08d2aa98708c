import type { RoomAccess } from "./access/grants.ts";
import type { Packet } from "./packet.ts";

/** What a room knows of whoever is connected to it: never a socket. */
export interface Peer {
  /** It asked for our subprotocol: it gets control messages, and needs no renewals. */
  readonly trusts: boolean;
  /** It takes patches of states, and sends them. */
  readonly patches: boolean;
  /** What it may do, as whom, and the lobby that it counts in. Only when it ends may change. */
  readonly access: RoomAccess;
  /** When it last gave a sign of life, by the clock that only goes forward. */
  readonly lastSeen: number;
  /** Its network is there, but its page has said nothing for long. */
  readonly silent: boolean;
  /** It says now and then that it reads: on purpose, or because it sends back what it hears. */
  answers: boolean;
  /** It does not read what it is sent: what is not news for ever had better wait until it has. */
  readonly lagging: boolean;
  /** Sends one message; its bytes are not changed afterwards by either side. */
  send(packet: Packet): void;
  /** Ends the connection. What was sent before still arrives, but to one that reads nothing. */
  close(code: number, reason: string): void;
}
