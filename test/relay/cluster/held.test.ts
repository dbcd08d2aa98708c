/** Clients that are in the lobby alone, and are at two relays: an old connection is half-open, or their tab was duplicated. */
import { expect, it } from "vitest";
import { WebSocket } from "ws";
import { type PresentEntry, heldAtOf } from "../../../src/awareness/index.ts";
import { boundedHeldAt } from "../../../src/relay/cluster/bounds.ts";
import { MemoryBus } from "../../../src/relay/cluster/bus/memory-bus.ts";
import { type HeldSession, HeldSessions } from "../../../src/relay/core/lobby/held.ts";
import { ownClient, pause, startRelay, until } from "../../support.ts";
import { FaultyBus } from "./faulty-bus.ts";

async function relayOn(shared: MemoryBus) {
  const bus = new FaultyBus(shared);
  return { bus, ...(await startRelay({ bus })) };
}

/** Two relays, with Alice on the first and Bob on the second, and what both see of Carol's coming and going in the lobby. */
async function two() {
  const shared = new MemoryBus();
  const [here, there] = [await relayOn(shared), await relayOn(shared)];
  const [alice, bob] = [ownClient(here.url, "alice"), ownClient(there.url, "bob")];
  await until("both see both", () => [alice, bob].every(({ lobby }) => lobby.users.length === 2));
  const comings: string[] = [];
  for (const { lobby } of [alice, bob]) {
    lobby.on("event", ({ type, userId }) => type !== "update" && userId === "carol" && comings.push(type));
  }
  const sessions = (): number[] => [alice, bob].map(({ lobby }) => lobby.get("carol")?.sessions.length ?? 0);
  return { here, there, alice, comings, sessions };
}

/** Carol's tab, of which nothing comes through once it is unplugged or only what is delivered later, and the same tab again. */
function tab() {
  const memory = new Map<string, string>();
  const tabStorage = {
    get: (key: string) => memory.get(key) ?? null,
    set: (key: string, value: string) => void memory.set(key, value),
  };
  const network = { isUnplugged: false };
  const underWay: (() => void)[] = [];
  class Unplugged extends WebSocket {
    override send(data: string | Uint8Array): void {
      if (network.isUnplugged) underWay.push(() => super.send(data));
      else super.send(data);
    }
  }
  return {
    network,
    underWay,
    open: (url: string) => ownClient(url, "carol", { tabStorage, WebSocket: Unplugged }),
    reopen: (url: string) => ownClient(url, "carol", { tabStorage }),
  };
}

it("[BUS-52] who is in the lobby alone, goes to another relay and leaves there is gone, though the old connection seems to be open", async () => {
  const { here, there, comings, sessions } = await two();
  const { open, reopen, network } = tab();
  const before = open(here.url);
  await until("all see Carol", () => sessions().join() === "1,1");
  network.isUnplugged = true;
  const after = reopen(there.url);
  expect(after.session).toBe(before.session);
  await until("she is there", () => after.lobby.status === "live");
  // longer than her old relay keeps her in its shard
  await pause(2_500);
  expect([sessions(), comings]).toEqual([
    [1, 1],
    ["join", "join"],
  ]);
  const said = here.bus.said.length;
  after.destroy();
  await until("nobody sees her", () => sessions().join() === "0,0", 5_000);
  // for that her old relay need not find out first that she is gone
  expect(here.bus.said.slice(said).filter(({ kind }) => kind === "shard")).toEqual([]);
  expect(comings).toEqual(["join", "join", "leave", "leave"]);
});

it("[BUS-9] [BUS-52] what the tab said through its old connection, and comes there late, does not take the session back", async () => {
  const { here, there, comings, sessions } = await two();
  const { open, reopen, network, underWay } = tab();
  const before = open(here.url);
  await until("all see Carol", () => sessions().join() === "1,1");
  const { session } = before;
  network.isUnplugged = true;
  before.setStatus("away");
  await until("she has said so", () => underWay.length > 0);
  const late = underWay.splice(0);
  const after = reopen(there.url);
  // its end of the connection still hears: it takes another session, of which nothing gets through
  await until("the old connection is told that the session is elsewhere", () => before.session !== session);
  // since when a relay says that it has the session, each time
  const dates = ({ bus }: { readonly bus: FaultyBus }): unknown[] =>
    bus.said
      .filter(({ kind }) => kind === "held")
      .map(({ body }) => (JSON.parse(new TextDecoder().decode(body)) as unknown[])[2]);
  await until("the old relay has said since when it has the session", () => dates(here).length > 0);
  const [saidHere, saidThere] = [dates(here).length, dates(there).length];
  for (const deliver of late) deliver();
  await until("the old relay says so again", () => dates(here).length > saidHere);
  await until("the new relay answers", () => dates(there).length > saidThere);
  expect([new Set(dates(here)).size, new Set(dates(there)).size]).toEqual([1, 1]);
  expect([after.session, sessions(), comings]).toEqual([session, [1, 1], ["join", "join"]]);
});

it("[BUS-52] a word of that which is lost is made up for", async () => {
  const { here, there, sessions } = await two();
  const { open, reopen, network } = tab();
  open(here.url);
  await until("all see Carol", () => sessions().join() === "1,1");
  network.isUnplugged = true;
  let lost = 0;
  there.bus.loses = ({ kind }) => kind === "held" && lost++ === 0;
  const after = reopen(there.url);
  await until("it is lost", () => lost > 0);
  await until("she is there", () => after.lobby.status === "live");
  // the next message shows that one is missing, and the relays tell each other anew
  const isTold = (): boolean =>
    [here, there].every(({ bus }) => bus.said.some(({ kind }) => kind === "held")) && lost > 1;
  await until("they tell each other", isTold, 5_000);
  // longer than her old relay keeps her in its shard
  await pause(2_500);
  const said = here.bus.said.length;
  after.destroy();
  await until("nobody sees her", () => sessions().join() === "0,0", 5_000);
  expect(here.bus.said.slice(said).filter(({ kind }) => kind === "shard")).toEqual([]);
});

it("[BUS-52] [OWN-5] a tab that was duplicated, with its copy at another relay, takes a session id of its own", async () => {
  const { here, there, alice, sessions } = await two();
  const { open, reopen } = tab();
  const before = open(here.url);
  await until("all see Carol", () => sessions().join() === "1,1");
  const session = before.session;
  const copy = reopen(there.url);
  await until("all see both tabs", () => sessions().join() === "2,2");
  expect([copy.session, before.session === session]).toEqual([session, false]);
  await pause(2_500);
  expect(alice.lobby.get("carol")?.sessions.length).toBe(2);
});

it("[BUS-52] a relay through which the session began to speak later than through another one answers so, and keeps it", () => {
  const entry = {
    room: "@lobby",
    phase: "live",
    heldAt: 7,
    claim: { user: { id: "carol" }, session: { id: "s" } },
  } as PresentEntry;
  const told: HeldSession[] = [];
  const held = new HeldSessions("@lobby", { keysOf: () => [entry] }, { names: () => true });
  held.onHeld = (session) => told.push(session);
  const since = (heldAt: number): HeldSession => ({ userId: "carol", session: "s", heldAt });
  expect(held.before(since(6))).toEqual([]);
  expect(told).toEqual([since(7)]);
  expect([held.before(since(8)), held.before({ ...since(8), session: "other" })]).toEqual([[entry], []]);
  expect(told).toHaveLength(1);
  held.said({ ...entry, room: "doc" });
  expect(told).toHaveLength(1);
});

it("[BUS-43] [BUS-52] no relay is believed that it has a session since later than a day from now", () => {
  const date = Date.UTC(2026, 0, 1);
  const tomorrow = heldAtOf(date + 24 * 3_600_000);
  expect([boundedHeldAt(Number.MAX_SAFE_INTEGER, date), boundedHeldAt(tomorrow - 1, date)]).toEqual([
    tomorrow,
    tomorrow - 1,
  ]);
});
