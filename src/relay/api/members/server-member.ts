/** A member of a room that is no socket: a server of the application speaks for it. It is told of nothing. */
import type { Author, Kind } from "../../../awareness/index.ts";
import type { RoomAccess } from "../../ports/access.ts";
import type { Member } from "../../ports/member.ts";
import type { Packet } from "../../ports/packet.ts";
import { Close, decodeFrame } from "../../../wire/index.ts";

export class ServerMember implements Member {
  // what it says is never an echo, and its states are renewed to stock observers by the relay
  readonly kind: Kind = "native";
  readonly echoing: Author["echoing"] = "never";
  readonly silent = false;
  readonly lagging = false;
  readonly companions: readonly Member[] = [];
  readonly address: string;
  access: RoomAccess;
  readonly #onClose: (code: number, reason: string) => void;
  readonly #clock: () => number;
  answers = true;

  /**
   * @param caller who speaks, as limits count addresses
   * @param access what it may do, as whom, and in which lobby
   * @param clock monotonic ms: as long as it is here, it is alive
   * @param onClose the relay ends it, or somebody else speaks for its session now
   */
  constructor(
    caller: string,
    access: Pick<RoomAccess, "user" | "lobby" | "presence" | "write">,
    clock: () => number,
    onClose: (code: number, reason: string) => void,
  ) {
    this.address = `api:${caller}`;
    this.access = { ...access, observe: false, read: false, isServer: true, expiresAt: null };
    this.#clock = clock;
    this.#onClose = onClose;
  }

  get lastSeen(): number {
    return this.#clock();
  }

  /** Of all that it is sent, one word concerns it: that somebody else speaks for its session now. */
  send({ message }: Packet): void {
    const frame = decodeFrame(message);
    if (frame.type === "control" && frame.control.kind === "superseded") this.#onClose(Close.normal, "superseded");
  }

  cork(): void {}

  uncork(): void {}

  charge(): void {}

  close(code: number, reason: string): void {
    this.#onClose(code, reason);
  }
}
