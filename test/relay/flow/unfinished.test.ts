/** Messages without their end. */
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type Beginner, Unfinished, UnfinishedData } from "../../../src/relay/flow/unfinished.ts";
import { LINK_SUBPROTOCOL, PIECE, controlFrame, envelope } from "../../../src/wire/index.ts";
import { startRelay, until } from "../../support.ts";
import { rawPeer } from "../raw.ts";

const KB = 1024;

class Talker implements Beginner {
  readonly unfinished: Unfinished;
  ended = 0;

  constructor(all: UnfinishedData) {
    this.unfinished = new Unfinished(all);
  }

  endUnfinished(): void {
    this.ended++;
    this.unfinished.close();
  }
}

describe("what has come in of messages that are not whole", () => {
  it("[FLOW-12] counts from 64 KiB on, until the message is whole or the link over", () => {
    const all = new UnfinishedData(300 * KB);
    const [alice, bob] = [new Talker(all), new Talker(all)];
    alice.unfinished.came(64 * KB);
    expect([alice.unfinished.count(0), alice.unfinished.bytes]).toEqual([false, 0]);
    alice.unfinished.came(KB);
    expect([alice.unfinished.count(0), alice.unfinished.bytes]).toEqual([false, 65 * KB]);
    // pings and pongs between the fragments are none
    alice.unfinished.came(100);
    alice.unfinished.wasNone(100);
    expect([alice.unfinished.count(100 * KB), alice.unfinished.bytes]).toEqual([false, 165 * KB]);
    bob.unfinished.came(200 * KB);
    expect([bob.unfinished.count(0), all.isOver]).toEqual([true, true]);
    alice.unfinished.whole();
    expect([alice.unfinished.count(0), all.isOver]).toEqual([false, false]);
  });

  it("[FLOW-12] those of whom most is kept are closed first, and no more than needed", () => {
    const all = new UnfinishedData(800 * KB);
    const talkers = [100, 400, 300, 200].map((kilobytes) => {
      const talker = new Talker(all);
      talker.unfinished.came(kilobytes * KB);
      talker.unfinished.count(0);
      return talker;
    });
    all.shed([...talkers, new Talker(all)]);
    expect(talkers.map(({ ended }) => ended)).toEqual([0, 1, 0, 0]);
    all.shed(talkers);
    expect(talkers.map(({ ended }) => ended)).toEqual([0, 1, 0, 0]);
  });

  it("[FLOW-12] by a relay is let go of with the connections of which most is kept, in fragments as in pieces", async () => {
    const { relay, url } = await startRelay({ maxUnsentTotal: 3_000_000 });
    const alice = await rawPeer(url, "doc");
    await alice.settle();
    const chunk = new Uint8Array(500_000);
    const hostile = Array.from({ length: 4 }, () => new WebSocket(`${url}/doc`));
    const links = Array.from({ length: 4 }, () => new WebSocket(`${url}/@link`, [LINK_SUBPROTOCOL]));
    let closed = 0;
    for (const socket of [...hostile, ...links]) socket.on("close", () => closed++).on("error", () => {});
    await until("all are there", () => [...hostile, ...links].every(({ readyState }) => readyState === 1));
    for (const socket of hostile) socket.send(chunk, { fin: false });
    for (const link of links) {
      link.send(envelope(0, controlFrame({ kind: "open", channel: 1, room: "other" })));
      link.send(envelope(1, chunk, PIECE));
    }
    // all of it would be twice as much
    for (const socket of hostile) socket.send(chunk, { fin: false });
    for (const link of links) link.send(envelope(1, chunk, PIECE));
    await until("some are closed", () => closed > 0 && (relay.metrics().closed["4503"] ?? 0) > 0);
    expect(alice.close).toBeUndefined();
    for (const socket of [...hostile, ...links]) socket.terminate();
  });
});
