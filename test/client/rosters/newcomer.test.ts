import { describe, expect, it } from "vitest";
import { ownClient, startRelay, until } from "../../support.ts";
import { type RawPeer, rawPeer, stateOf } from "../../relay/raw.ts";

const USERS = 600;
const prompt = { tick: 0, lobbyTick: 0, leaveGrace: 50 };

/** Brings some hundred people into a room, over one connection. */
async function crowd(url: string, users: number): Promise<RawPeer> {
  const peer = await rawPeer(url, "hall", { trusts: true });
  peer.say(
    ...Array.from({ length: users }, (_, i) => [i + 1, 1, stateOf(`user-${i}`, `s_${i}`)] as [number, number, object]),
  );
  return peer;
}

describe("a newcomer to a large lobby", () => {
  it("[LOBBY-19] knows the people of its own rooms before all others", async () => {
    const { url, relay } = await startRelay({ ...prompt, maxStates: USERS });
    await crowd(url, USERS);
    await until("they are here", () => relay.users().length === USERS);
    const bob = await rawPeer(url, "doc", { trusts: true });
    // his are the last in the lobby's document
    bob.say(
      [USERS + 1, 1, stateOf("bob", "s_bob", { status: "away" })],
      [USERS + 2, 1, stateOf("dora", "s_dora", { manual: { status: "invisible", at: 1 } })],
    );
    await until("Bob is here", () => relay.users().some(({ id }) => id === "bob"));
    const alice = ownClient(url, "alice");
    alice.join("doc");
    const seen: { readonly count: number; readonly synced: boolean; readonly status: string | undefined }[] = [];
    const events: string[] = [];
    alice.lobby.on("event", ({ type, userId }) => events.push(`${type} ${userId}`));
    alice.lobby.subscribe(() => {
      const { count, synced } = alice.lobby;
      if (alice.lobby.countIn("doc") === 2) seen.push({ count, synced, status: alice.lobby.get("bob")?.status });
    });
    await until("the lobby is whole", () => alice.lobby.synced);
    expect(seen[0]).toEqual({ count: 2, synced: false, status: "away" });
    expect(alice.lobby.count).toBe(USERS + 2);
    expect(events).toEqual([]);
    // what was told before the document holds no more once that is here
    bob.say([USERS + 1, 2, null]);
    await until("Bob has left", () => !alice.lobby.has("bob"));
    expect(events).toEqual(["leave bob"]);
  });
});
