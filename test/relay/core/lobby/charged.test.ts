import { expect, it, vi } from "vitest";
import { FlushLoad } from "../../../../src/relay/core/flush/pace.ts";
import { awarenessFrame, encodeEntries } from "../../../../src/wire/index.ts";
import { ownClient, rawClient, startRelay, until } from "../../../support.ts";

const PEOPLE = 600;

it("[COST-7] of handing on three quarters are charged to nobody; [COST-13] of what is made for all who come, nothing is", () => {
  const load = new FlushLoad();
  load.handedOn(8);
  expect(load.sparedMs).toBe(6);
  load.madeForAll(5);
  expect(load.sparedMs).toBe(11);
});

it("[COST-13] writing a large lobby down is charged to nobody, and to encode it neither; only once, for all who come", async () => {
  const madeForAll = vi.spyOn(FlushLoad.prototype, "madeForAll");
  const { relay, url } = await startRelay({ maxStates: 1_000, maxAddressUsers: 0 });
  const crowd = await rawClient(url, "doc");
  const entries = Array.from({ length: PEOPLE }, (_, i) => {
    const copresence = { session: `s_${i}`, status: "online", device: "desktop", since: 0, meta: {} };
    const state = JSON.stringify({ user: { id: `user-${i}`, name: `Person ${i}` }, copresence });
    return { id: i + 1, clock: 1, state: new TextEncoder().encode(state) };
  });
  for (let from = 0; from < PEOPLE; from += 100) {
    crowd.send(awarenessFrame(encodeEntries(entries.slice(from, from + 100))));
  }
  await until("the crowd is here", () => relay.users().length === PEOPLE);
  expect(madeForAll).not.toHaveBeenCalled();
  for (const name of ["alice", "bob"]) {
    const { lobby } = ownClient(url, name);
    await until(`${name} sees all`, () => lobby.synced && lobby.count > PEOPLE);
  }
  // it was written down, and then encoded
  expect(madeForAll).toHaveBeenCalledTimes(2);
});
