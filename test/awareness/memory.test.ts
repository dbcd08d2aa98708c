import { describe, expect, it } from "vitest";
import { StateMemory } from "../../src/awareness/index.ts";
import { type RawPeer, rawPeer, stateOf } from "../relay/raw.ts";
import { startRelay, until } from "../support.ts";

describe("[LIMIT-9] the memory of all states", () => {
  it("is for anybody until it is full, then for those with little, and then for nobody", () => {
    const memory = new StateMemory(6_400);
    memory.changed("mallory", 6_000);
    expect([memory.mayGrow("mallory", 400), memory.mayGrow("mallory", 401)]).toEqual([true, false]);
    memory.changed("mallory", 400);
    expect([memory.mayGrow("alice", 100), memory.mayGrow("alice", 101)]).toEqual([true, false]);
    // what takes less than before is always taken
    expect([memory.mayGrow("mallory", -10), memory.mayGrow("mallory", 0)]).toEqual([true, true]);
    for (let i = 0; i < 64; i++) memory.changed(`user ${i}`, 100);
    expect([memory.bytes, memory.mayGrow("alice", 1)]).toEqual([12_800, false]);
    memory.changed("mallory", -6_400);
    expect(memory.mayGrow("alice", 1)).toBe(true);
    expect(new StateMemory(0).mayGrow("mallory", 1e15)).toBe(true);
  });

  it.each<[string, (peer: RawPeer) => void]>([
    ["takes it back", (peer) => peer.say([1, 2, null])],
    ["is cut off", (peer) => peer.socket.terminate()],
    ["says less", (peer) => peer.say([1, 2, stateOf("alice", "s_1")])],
  ])("is there again for others once Alice %s", async (_, giveBack) => {
    const { url, relay } = await startRelay({ leaveGrace: 0, tick: 0, maxStatesTotal: 40_000 });
    const large = { cursor: "x".repeat(30_000) };
    const alice = await rawPeer(url, "doc");
    alice.say([1, 1, stateOf("alice", "s_1", {}, large)]);
    await alice.settle();
    const refused = await rawPeer(url, "doc-2");
    refused.say([2, 1, stateOf("bob", "s_2", {}, large)]);
    expect(await refused.closed).toEqual({ code: 4503, reason: "too many awareness states on this relay" });
    const witness = await rawPeer(url, "doc");
    await witness.settle();
    giveBack(alice);
    await until("others see it", () => JSON.stringify([...witness.states]).length < 1_000);
    const bob = await rawPeer(url, "doc-2");
    bob.say([2, 1, stateOf("bob", "s_2", {}, large)]);
    await bob.settle();
    await until("Bob is there", () => relay.user("bob") !== undefined);
  });
});
