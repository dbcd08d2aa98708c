/** What relays tell each other of a large lobby when one has missed something. */
import * as encoding from "lib0/encoding";
import { expect, it } from "vitest";
import { WebSocket } from "ws";
import { EMPTY_UPDATE, awarenessFrame, encodeEntries } from "../../../src/wire/index.ts";
import { MemoryBus } from "../../../src/relay/cluster/bus/memory-bus.ts";
import { encodeMessage } from "../../../src/relay/cluster/message.ts";
import { ownClient, rawClient, startRelay, stockClient, until } from "../../support.ts";
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

/** An answer of a relay that holds nobody, with a state vector and choices. */
function answerOf(relay: string, upTo: readonly number[], choices: readonly unknown[] = []): Uint8Array {
  const body = encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, 7);
    encoding.writeVarString(encoder, relay);
    encoding.writeVarUint(encoder, 0);
    encoding.writeVarString(encoder, JSON.stringify(choices));
    encoding.writeVarUint8Array(encoder, EMPTY_UPDATE);
    encoding.writeVarUint8Array(encoder, Uint8Array.from(upTo));
  });
  return encodeMessage({ kind: "shardWhole", relay, room: "@lobby", seq: 0, body });
}

/** A state vector with one client, of which more is known than an empty answer tells; and one of nothing. */
const LACKING = [1, 5, 3];
const NOTHING = [0];

it("[BUS-54] a part of a shard whose rest was thrown away is not taken for the shard: all of it is asked for", async () => {
  const { mine, theirs, there, errors } = await two();
  const asked = () => theirs.said.filter(({ kind, room }) => kind === "ask" && room === "@lobby").length;
  const before = asked();
  mine.publish(`cp1:i:${there.relay.shard}`, answerOf("r_other", LACKING));
  await until("it is asked for", () => asked() > before);
  expect(there.relay.metrics().bus?.refused).toBe(1);
  // that happens where relays come and go, and nobody need look into it
  expect(errors).toEqual([]);
});

it("[BUS-15] a user is hidden by an answer, though the same choice was in one before that could not be taken", async () => {
  const shared = new MemoryBus();
  const bus = new FaultyBus(shared);
  const { relay, url } = await startRelay({ bus, onError: () => {} });
  const { roster } = ownClient(url, "alice").join("doc");
  stockClient(url, "doc", { user: { id: "ina", name: "Ina" } });
  await until("Alice sees Ina", () => roster.get("ina") !== undefined);
  const choices = [["ina", { status: "invisible", at: Date.now() }]];
  const asked = () => bus.said.filter(({ kind, room }) => kind === "ask" && room === "@lobby").length;
  const before = asked();
  shared.publish(`cp1:i:${relay.shard}`, answerOf("r_other", LACKING, choices));
  await until("all is asked for", () => asked() > before);
  shared.publish(`cp1:i:${relay.shard}`, answerOf("r_other", NOTHING, choices));
  await until("Ina is hidden", () => roster.get("ina") === undefined);
});
