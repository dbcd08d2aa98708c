/** What relays tell each other of a large lobby when one has missed something. */
import * as encoding from "lib0/encoding";
import { expect, it } from "vitest";
import { WebSocket } from "ws";
import { EMPTY_UPDATE, awarenessFrame, encodeEntries } from "../../../src/wire/index.ts";
import { MemoryBus } from "../../../src/relay/cluster/bus/memory-bus.ts";
import { encodeMessage } from "../../../src/relay/cluster/message.ts";
import { ownClient, rawClient, startRelay, until } from "../../support.ts";
import { FaultyBus } from "./faulty-bus.ts";

const PEOPLE = 300;

function entry(i: number, status: string, clock: number) {
  const copresence = { session: `s_${i}`, status, device: "desktop", since: 0, meta: {} };
  const state = JSON.stringify({ user: { id: `user-${i}`, name: `Person ${i}` }, copresence });
  return { id: i + 1, clock, state: new TextEncoder().encode(state) };
}

/** Two relays, a crowd at the first, and Alice at the second, who sees all of them. */
async function two() {
  const shared = new MemoryBus();
  const [mine, theirs] = [new FaultyBus(shared), new FaultyBus(shared)];
  const errors: unknown[] = [];
  const here = await startRelay({ bus: mine, maxStates: 1_000, maxAddressUsers: 0 });
  const there = await startRelay({ bus: theirs, onError: (error) => errors.push(error) });
  const crowd = await rawClient(here.url, "doc");
  const all = Array.from({ length: PEOPLE }, (_, i) => entry(i, "online", 1));
  for (let from = 0; from < PEOPLE; from += 100) {
    crowd.send(awarenessFrame(encodeEntries(all.slice(from, from + 100))));
  }
  await until("the crowd is here", () => here.relay.users().length === PEOPLE);
  let bytes = 0;
  class Counted extends WebSocket {
    constructor(address: string, protocols?: string[]) {
      super(address, protocols);
      this.on("message", (data: ArrayBuffer) => void (bytes += data.byteLength));
    }
  }
  const alice = ownClient(there.url, "alice", { WebSocket: Counted });
  await until("Alice sees all", () => alice.lobby.synced && alice.lobby.count === PEOPLE + 1);
  const say = (i: number, status: string): void => {
    crowd.send(awarenessFrame(encodeEntries([entry(i, status, 2)])));
  };
  const answers = () => mine.said.filter(({ kind }) => kind === "shardWhole").map(({ body }) => body.length);
  return { mine, theirs, here, there, alice, errors, say, answers, bytes: () => bytes };
}

it("[BUS-54] a relay that has missed one change of a lobby is told of it, and tells its readers of it, not of everybody", async () => {
  const { mine, alice, say, answers, bytes, errors } = await two();
  const [before, bytesBefore] = [answers().length, bytes()];
  const whole = Math.max(...answers());
  expect(whole).toBeGreaterThan(PEOPLE * 100);
  let lost = 0;
  mine.loses = ({ kind }) => kind === "shard" && lost++ === 0;
  say(0, "away");
  await until("that is lost", () => lost > 0);
  say(1, "away");
  await until("Alice sees both", () => ["user-0", "user-1"].every((id) => alice.lobby.get(id)?.status === "away"));
  expect(Math.max(...answers().slice(before))).toBeLessThan(whole / 10);
  expect(bytes() - bytesBefore).toBeLessThan(whole / 10);
  expect(alice.lobby.count).toBe(PEOPLE + 1);
  expect(errors).toEqual([]);
});

it("[BUS-54] a part of a shard whose rest was thrown away is not taken for the shard: all of it is asked for", async () => {
  const { mine, theirs, there, errors } = await two();
  const body = encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, 7);
    encoding.writeVarString(encoder, "r_other");
    encoding.writeVarUint(encoder, 0);
    encoding.writeVarString(encoder, "[]");
    encoding.writeVarUint8Array(encoder, EMPTY_UPDATE);
    // one client, of which more is known than the answer tells
    encoding.writeVarUint8Array(encoder, Uint8Array.of(1, 5, 3));
  });
  const asked = () => theirs.said.filter(({ kind, room }) => kind === "ask" && room === "@lobby").length;
  const before = asked();
  mine.publish(
    `cp1:i:${there.relay.shard}`,
    encodeMessage({ kind: "shardWhole", relay: "r_other", room: "@lobby", seq: 0, body }),
  );
  await until("it is refused", () => errors.length > 0);
  expect(String((errors[0] as Error).cause)).toContain("a part of a shard");
  await until("it is asked for", () => asked() > before);
});
