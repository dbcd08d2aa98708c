/** Other relays come to rooms as members do, and are nobody who was missed. */
import { expect, it } from "vitest";
import { MemoryBus } from "../../../src/relay/cluster/bus/memory-bus.ts";
import { controlFrame } from "../../../src/wire/index.ts";
import { ownClient, startRelay, until } from "../../support.ts";
import { rawPeer } from "../raw.ts";

const ROOMS = 15;

it("[ROSTER-11] another relay that is met in many rooms at once is no rush: who asks meanwhile is answered at once", async () => {
  const bus = new MemoryBus();
  const [here, there] = [await startRelay({ bus }), await startRelay({ bus })];
  const bob = ownClient(there.url, "bob");
  for (let i = 0; i < ROOMS; i++) bob.join(`room-${i}`);
  await until("Bob is in all rooms", () => there.relay.rooms().length === ROOMS);
  const peers = await Promise.all(
    Array.from({ length: ROOMS }, (_, i) => rawPeer(here.url, `room-${i}`, { trusts: true })),
  );
  await until("he is seen in all", () => here.relay.rooms().every(({ users }) => users.length === 1));
  const [first] = peers;
  if (first === undefined) throw new Error("there are 15");
  first.send(controlFrame({ kind: "ping" }));
  // what it says next is answered next
  await first.settle();
  expect(first.controls.map(({ kind }) => kind)).toContain("pong");
});
