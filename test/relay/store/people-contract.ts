/** What every store of people has to do, whatever keeps them. */
import { expect, it } from "vitest";
import type { PeopleStore, PersonRecord, StoredPerson } from "../../../src/relay/ports/stores/people-store.ts";

const record = (id: string, lastSeen: number | null, lobby = "@lobby"): PersonRecord => ({
  lobby,
  user: { id, name: `${id} of ${lobby}`, color: "#30bced" },
  choice: id === "alice" ? { status: "dnd", at: 5 } : null,
  lastSeen,
});

async function all(store: PeopleStore, since = 0): Promise<StoredPerson[]> {
  const people: StoredPerson[] = [];
  for await (const batch of store.load(since, new AbortController().signal)) people.push(...batch);
  return people.toSorted((a, b) => a.lastSeen - b.lastSeen || (a.user.id < b.user.id ? -1 : 1));
}

const lastSeen = (people: readonly StoredPerson[]): unknown[] => people.map((each) => [each.user.id, each.lastSeen]);

/** @param open makes an empty store; the contract closes none */
export function peopleStoreContract(open: () => Promise<PeopleStore>): void {
  it("[PEOPLE-1] gives back who left, with choices, and each lobby its own", async () => {
    const store = await open();
    expect(await all(store)).toEqual([]);
    const [alice, bob, tenant] = [record("alice", 10), record("bob", 20), record("alice", 30, "@lobby/ü /%2F")];
    await store.save({ relay: "r_1", at: 40, changed: [alice, bob, tenant], forgotten: [] });
    expect(await all(store)).toEqual([alice, bob, tenant]);
    expect(await all(store, 20)).toEqual([bob, tenant]);
  });

  it("[PEOPLE-2] a user who is here was last seen when their relay last saved anything", async () => {
    const store = await open();
    await store.save({ relay: "r_1", at: 10, changed: [record("alice", null), record("bob", 5)], forgotten: [] });
    await store.save({ relay: "r_2", at: 15, changed: [record("carol", null)], forgotten: [] });
    await store.save({ relay: "r_1", at: 20, changed: [], forgotten: [] });
    expect(lastSeen(await all(store))).toEqual([
      ["bob", 5],
      ["carol", 15],
      ["alice", 20],
    ]);
  });

  it("[PEOPLE-3] a relay overwrites and takes back its own records alone", async () => {
    const store = await open();
    await store.save({ relay: "r_1", at: 10, changed: [record("alice", null), record("bob", 5)], forgotten: [] });
    await store.save({
      relay: "r_2",
      at: 20,
      changed: [record("alice", 15)],
      forgotten: [{ lobby: "@lobby", userId: "bob" }],
    });
    expect(lastSeen(await all(store))).toEqual([
      ["bob", 5],
      ["alice", 10],
      ["alice", 15],
    ]);
    await store.save({
      relay: "r_1",
      at: 30,
      changed: [record("alice", 25)],
      forgotten: [{ lobby: "@lobby", userId: "bob" }],
    });
    expect(lastSeen(await all(store))).toEqual([
      ["alice", 15],
      ["alice", 25],
    ]);
  });

  it("[PEOPLE-3] drops those who were last seen too long ago", async () => {
    const store = await open();
    await store.save({ relay: "r_1", at: 10, changed: [record("alice", null), record("bob", 5)], forgotten: [] });
    await store.save({ relay: "r_2", at: 30, changed: [record("carol", null), record("dave", 8)], forgotten: [] });
    await store.forget(20);
    expect(lastSeen(await all(store))).toEqual([["carol", 30]]);
  });

  it("keeps ids of any characters apart", async () => {
    const store = await open();
    const ids = ["a/b", "a%2Fb", "\ud800", "\udfff", 'quo"te', "a\u0000"];
    await store.save({ relay: "r_1", at: 10, changed: ids.map((id) => record(id, 1)), forgotten: [] });
    await store.save({ relay: "r_1", at: 11, changed: [], forgotten: [{ lobby: "@lobby", userId: "\ud800" }] });
    const rest = ids.filter((id) => id !== "\ud800");
    expect((await all(store)).map(({ user }) => user.id).toSorted()).toEqual(rest.toSorted());
  });

  it("reads many, some at a time", async () => {
    const store = await open();
    const many = Array.from({ length: 1_200 }, (_, i) => record(`u_${i}`, i + 1));
    await store.save({ relay: "r_1", at: 2_000, changed: many, forgotten: [] });
    expect(await all(store)).toHaveLength(1_200);
  });

  it("does not read for one who wants it no longer", async () => {
    const store = await open();
    const controller = new AbortController();
    controller.abort(new Error("left"));
    const read = async (): Promise<void> => {
      for await (const _ of store.load(0, controller.signal)) continue;
    };
    await expect(read()).rejects.toThrow("left");
  });
}
