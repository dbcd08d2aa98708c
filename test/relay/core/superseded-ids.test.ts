/** Stock clients that have lost their id to another connection without a word. */
import { expect, it } from "vitest";
import type { PresentEntry } from "../../../src/awareness/index.ts";
import type { StateUpdate } from "../../../src/awareness/audience/index.ts";
import { MemoryBus } from "../../../src/relay/cluster/bus/memory-bus.ts";
import { SupersededIds } from "../../../src/relay/core/superseded-ids.ts";
import type { Member } from "../../../src/relay/ports/member.ts";
import { EMPTY_UPDATE, syncStep2Frame } from "../../../src/wire/index.ts";
import { type RawPeer, rawPeer } from "../raw.ts";
import { startRelay, until } from "../../support.ts";

const ID = 42;
const stateOf = (n: number): object => ({ user: { id: "alice", name: "Alice" }, cursor: n });

async function stockPeer(url: string): Promise<RawPeer> {
  const peer = await rawPeer(url, "doc");
  peer.send(syncStep2Frame(EMPTY_UPDATE));
  await peer.settle();
  return peer;
}

it("[LIVE-10] a stock client is not sent its own state, with a clock above its own, by way of a later connection to another relay", async () => {
  const bus = new MemoryBus();
  const [here, there] = [await startRelay({ bus }), await startRelay({ bus })];
  const [first, observer] = [await stockPeer(here.url), await stockPeer(here.url)];
  first.say([ID, 1, stateOf(0)]);
  await until("she is seen", () => observer.states.has(ID));
  const second = await stockPeer(there.url);
  await until("the other relay has her, too", () => second.states.has(ID));
  // the same client by another way, while the first connection seems to be open
  for (let n = 1; n <= 3; n++) {
    second.say([ID, 2 ** 45 + n, stateOf(n)]);
    await until("that is seen", () => (observer.states.get(ID) as { cursor?: number })?.cursor === n);
  }
  await first.settle();
  const told = first.updates.flat().filter(([id, , state]) => id === ID && state !== null);
  expect(told).toEqual([]);
});

it("[LIVE-10] a stock client that has lost one of its ids is not sent its state of another one with a clock above its own", async () => {
  const bus = new MemoryBus();
  const [here, there] = [await startRelay({ bus }), await startRelay({ bus })];
  const [first, observer] = [await stockPeer(here.url), await stockPeer(here.url)];
  const cursorOf = (id: number): unknown => (observer.states.get(id) as { cursor?: number } | undefined)?.cursor;
  const other = ID + 1;
  first.say([ID, 1, stateOf(0)], [other, 1, stateOf(0)]);
  await until("both are seen", () => observer.states.has(ID) && observer.states.has(other));
  const second = await stockPeer(there.url);
  await until("the other relay has them, too", () => second.states.has(ID));
  second.say([ID, 2 ** 45, stateOf(1)]);
  await until("one of them is taken over", () => cursorOf(ID) === 1);
  await first.settle();
  const before = first.updates.length;
  first.say([other, 2, stateOf(2)]);
  await until("what it says of the other is seen", () => cursorOf(other) === 2);
  await first.settle();
  const told = first.updates
    .slice(before)
    .flat()
    .filter(([id]) => id === other);
  expect(told.map(([, , state]) => state)).toEqual([null]);
});

it("[BUS-6] the clocks of a client that speaks through another connection are not below those that an unheard relay may have given out", async () => {
  const { url } = await startRelay({ bus: new MemoryBus() });
  const [first, observer] = [await stockPeer(url), await stockPeer(url)];
  const told = (): number =>
    Math.max(-1, ...observer.updates.flat().flatMap(([id, clock]) => (id === ID ? [clock] : [])));
  first.say([ID, 1, stateOf(0)]);
  await until("she is seen", () => observer.states.has(ID));
  const before = told() + 50;
  await until("some time has passed", () => Date.now() > before);
  const second = await rawPeer(url, "doc");
  second.say([ID, 3, stateOf(1)]);
  await until("she is seen there", () => (observer.states.get(ID) as { cursor?: number })?.cursor === 1);
  expect(told()).toBeGreaterThan(before);
});

it("[LIVE-10] an id is withheld from the one that lost it, until it speaks for the id again or goes", () => {
  const superseded = new SupersededIds();
  const [stock, native] = [{ kind: "stock" }, { kind: "native" }] as Member[];
  const update = (id: number, isGone = false): StateUpdate =>
    ({ publication: { id }, clock: 1, state: isGone ? null : {} }) as StateUpdate;
  const updates = [update(1), update(2), update(1, true)];
  for (const member of [stock!, native!]) superseded.add(member, 1);
  expect(superseded.without(stock!, updates)).toEqual([update(2), update(1, true)]);
  expect(superseded.without(native!, updates)).toBe(updates);
  superseded.claimed({ id: 1, owner: stock! } as Partial<PresentEntry> as PresentEntry);
  expect(superseded.without(stock!, updates)).toBe(updates);
  superseded.add(stock!, 2);
  superseded.left(stock!);
  expect(superseded.without(stock!, updates)).toBe(updates);
});

it("[LIVE-10] of the ids that one connection has lost the last 16 are withheld", () => {
  const superseded = new SupersededIds();
  const stock = { kind: "stock" } as Member;
  const updates = Array.from({ length: 18 }, (_, id) => ({ publication: { id }, clock: 1, state: {} }) as StateUpdate);
  for (const { publication } of updates) superseded.add(stock, publication.id);
  expect(superseded.without(stock, updates)).toEqual(updates.slice(0, 2));
});
