/** Two honest people in the room that is attacked: one with an unmodified y-websocket client, one with ours. */
import type { WebsocketProvider } from "y-websocket";
import { expect } from "vitest";
import { tokenFor } from "../relay/tokens.ts";
import { ownClient, stockClient, until } from "../support.ts";

export interface Witnesses {
  readonly alice: WebsocketProvider;
  /** The client id of Alice's state. */
  readonly aliceId: number;
  readonly bobId: number;
  /** Nothing has happened to either, and what one says the other still hears. */
  readonly undisturbed: () => Promise<void>;
}

export async function witnesses(url: string, room: string): Promise<Witnesses> {
  const [aliceToken, bobToken] = [await tokenFor({ sub: "alice", name: "Alice" }), await tokenFor({ sub: "bob" })];
  const alice = stockClient(url, room, { user: { id: "alice", name: "Alice" }, params: { token: aliceToken } });
  const bob = ownClient(url, "bob", { token: bobToken });
  const doc = bob.join(room);
  const seesAlice = (): boolean => doc.roster.get("alice")?.status === "online";
  const seesBob = (): boolean => alice.awareness.states.has(doc.awareness.clientID);
  await until("Alice and Bob see each other", () => alice.synced && doc.provider.synced && seesAlice() && seesBob());
  await until("so they do in the lobby", () => bob.lobby.get("alice")?.status === "online");
  await until("Alice has caught up", () => (alice.awareness.meta.get(alice.awareness.clientID)?.clock ?? 0) > 1e12);

  const log: string[] = [];
  alice.on("status", ({ status }) => log.push(`Alice's client: ${status}`));
  alice.on("connection-close", (event) => log.push(`Alice's connection was closed: ${event?.code}`));
  for (const roster of [doc.roster, bob.lobby]) {
    roster.on("status", (status) => log.push(`Bob's roster: ${status}`));
    roster.on("event", ({ type, user, roomId }) => {
      const isChange = type === "update" && user.name === "Alice" && user.status === "online" && !user.reconnecting;
      if (user.id === "alice" && !isChange) log.push(`Bob saw Alice ${type} in ${roomId}, as ${user.name}`);
    });
  }
  let count = 0;
  return {
    alice,
    aliceId: alice.awareness.clientID,
    bobId: doc.awareness.clientID,
    async undisturbed() {
      count++;
      alice.awareness.setLocalStateField("cursor", { count });
      doc.awareness.setLocalStateField("cursor", { count });
      alice.doc.getText("text").insert(0, `<${count}>`);
      const cursor = (states: Map<number, Record<string, unknown>>, id: number): unknown => states.get(id)?.["cursor"];
      await until("Bob sees Alice's cursor", () => {
        return JSON.stringify(cursor(doc.awareness.states, alice.awareness.clientID)) === JSON.stringify({ count });
      });
      await until("Alice sees Bob's cursor", () => {
        return JSON.stringify(cursor(alice.awareness.states, doc.awareness.clientID)) === JSON.stringify({ count });
      });
      await until("Bob reads what Alice wrote", () => doc.doc.getText("text").toJSON().includes(`<${count}>`));
      expect(log).toEqual([]);
      expect([seesAlice(), seesBob(), alice.wsconnected]).toEqual([true, true, true]);
      expect(bob.lobby.get("alice")).toMatchObject({ name: "Alice", status: "online" });
    },
  };
}
