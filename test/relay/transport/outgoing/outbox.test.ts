import { expect, it } from "vitest";
import { UnsentData } from "../../../../src/relay/flow/unsent.ts";
import { Packet } from "../../../../src/relay/ports/packet.ts";
import { Lanes } from "../../../../src/relay/transport/outgoing/lanes.ts";
import { Outbox } from "../../../../src/relay/transport/outgoing/outbox.ts";
import { envelopeHead, updateFrame } from "../../../../src/wire/index.ts";

const PART_BYTES = 32 * 1024;

/** The outbox of one who reads nothing yet, over a socket that may be encrypted. */
function reader(unsent: UnsentData, keepsPackets: boolean) {
  const waiting: (() => void)[] = [];
  const socket = {
    keepsPackets,
    bufferedAmount: 0,
    send({ message }: Packet, _prefix: Uint8Array | null = null, onLeft?: () => void) {
      socket.bufferedAmount += message.length;
      waiting.push(() => {
        socket.bufferedAmount -= message.length;
        onLeft?.();
      });
    },
  };
  const lanes = new Lanes(socket, { now: () => 0 });
  const outbox = new Outbox(lanes, unsent);
  /** Reads all that there is. */
  const read = (): void => {
    while (waiting.length > 0) {
      for (const leave of waiting.splice(0)) leave();
      lanes.read(PART_BYTES);
      outbox.recount();
    }
  };
  return { outbox, socket, read };
}

for (const isEncrypted of [false, true]) {
  it(`[FLOW-7] parts of a lobby that wait for many count once${isEncrypted ? ", over TLS too" : ""}`, () => {
    const unsent = new UnsentData(0);
    const parts = Array.from({ length: 20 }, () => new Packet(updateFrame(new Uint8Array(PART_BYTES))));
    const readers = Array.from({ length: 100 }, () => reader(unsent, !isEncrypted));
    for (const { outbox } of readers) for (const part of parts) outbox.send(part, envelopeHead(1));
    const inSockets = readers.reduce((sum, { socket }) => sum + socket.bufferedAmount, 0);
    expect(unsent.bytes).toBeLessThan(inSockets + 2 * parts.length * PART_BYTES);
    for (const { outbox, read } of readers.slice(0, 50)) {
      read();
      outbox.close();
    }
    expect(unsent.bytes).toBeGreaterThan(parts.length * PART_BYTES);
    for (const { read } of readers) read();
    expect(unsent.bytes).toBe(0);
  });
}
