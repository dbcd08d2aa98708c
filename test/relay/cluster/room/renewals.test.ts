import { expect, it } from "vitest";
import type { PresentEntry } from "../../../../src/awareness/index.ts";
import { Renewals } from "../../../../src/relay/cluster/room/renewals.ts";
import { MemoryBus } from "../../../../src/relay/cluster/bus/memory-bus.ts";
import { EMPTY_UPDATE, syncStep2Frame } from "../../../../src/wire/index.ts";
import { ownClient, startRelay, until } from "../../../support.ts";
import { rawPeer } from "../../raw.ts";
import { FaultyBus } from "../faulty-bus.ts";

it("[BUS-7] new clocks are asked for again where none has come, three times at most", () => {
  const here = new Map<number, PresentEntry>();
  const set = (id: number, clock: number | null, owner: unknown = {}): void => {
    here.set(id, { id, owner, remote: clock === null ? null : { clock, mark: "clear" } } as PresentEntry);
  };
  const renewals = new Renewals({ get: (id) => here.get(id), present: () => here.values() });
  set(1, 10);
  set(2, 20);
  // one of this relay's own, and one whose relay is lost
  set(3, null);
  set(4, 40, null);
  renewals.asked(0);
  expect([renewals.isDue(999), renewals.isDue(1_000), renewals.isDue(1_999), renewals.isDue(2_000)]).toEqual([
    false,
    true,
    false,
    true,
  ]);
  set(1, 11);
  expect(renewals.isDue(3_000)).toBe(true);
  expect([renewals.isDue(4_000), renewals.isDue(9_000)]).toEqual([false, false]);
  renewals.asked(10_000);
  here.delete(1);
  set(2, 21);
  expect(renewals.isDue(11_000)).toBe(false);
});

it("[BUS-7] those who have left are waited for no more, however soon the others are asked again", () => {
  let present: readonly PresentEntry[] = [];
  const looked: number[] = [];
  const get = (id: number): PresentEntry | undefined => {
    looked.push(id);
    return present.find((each) => each.id === id);
  };
  const renewals = new Renewals({ get, present: () => present });
  for (let id = 0; id < 10; id++) {
    present = [{ id, owner: {}, remote: { clock: 1, mark: "clear" } } as PresentEntry];
    renewals.asked(500 * id);
    expect(renewals.isDue(500 * id + 250)).toBe(false);
  }
  expect([renewals.isDue(10_000), looked]).toEqual([true, [9]]);
});

it("[BUS-7] a stock client that comes back sees people of another relay, though the question for their clocks is lost", async () => {
  const shared = new MemoryBus();
  const [bus, other] = [new FaultyBus(shared), new FaultyBus(shared)];
  const [here, there] = [await startRelay({ bus }), await startRelay({ bus: other })];
  const bob = ownClient(there.url, "bob").join("doc");
  const stock = await rawPeer(here.url, "doc");
  await until("Bob is seen", () => stock.states.has(bob.doc.clientID));
  let lost = 0;
  bus.loses = ({ kind }) => kind === "renew" && lost++ === 0;
  const clocks = (): number[] =>
    stock.updates.flat().flatMap(([id, clock]) => (id === bob.doc.clientID ? [clock] : []));
  const before = Math.max(...clocks());
  stock.send(syncStep2Frame(EMPTY_UPDATE));
  await until("the question is lost", () => lost > 0);
  await until("Bob has a new clock all the same", () => Math.max(...clocks()) > before, 3_000);
});
