/** A link that dies without a word: nothing is sent on it any more, and neither side is told. */
import { expect } from "vitest";
import { type LobbyUser, shardsOf } from "../../../src/lobby/index.ts";
import { tcpProxy } from "../../proxy.ts";
import { ownClient, stockClient, until } from "../../support.ts";
import { runRelay } from "../processes.ts";
import { watch } from "../watch.ts";

const hasSessions = (user: LobbyUser | undefined): boolean => Object.keys(user?.sessions ?? {}).length > 0;

/** Has Bob's link die, and sees that he is gone everywhere in time; says when he was. */
export async function dieInSilence(flags: readonly string[], withinMs: number): Promise<string> {
  const { url, port } = await runRelay(flags);
  const view = watch(url);
  const stock = stockClient(url, "plans", { user: { id: "carol", name: "Carol" } });
  const reader = stockClient(url, "@lobby");
  const proxy = await tcpProxy(port);
  const bob = ownClient(proxy.url, "bob");
  const room = bob.join("plans");
  const id = room.awareness.clientID;
  const isRead = (): boolean => [...shardsOf(reader.doc).values()].some((shard) => hasSessions(shard.get("bob")));
  await until(
    "everybody sees bob",
    () => view.room.roster.get("bob") !== undefined && stock.awareness.states.has(id) && isRead(),
  );
  // his last sign of life, of which the relay tells by showing it
  room.setMeta({ word: "last" });
  bob.setMeta({ word: "last" });
  const told = (meta: unknown): boolean => (meta as { word?: string } | undefined)?.word === "last";
  await until(
    "his last word",
    () => told(view.room.roster.get("bob")?.meta) && told(view.alice.lobby.get("bob")?.meta),
  );
  const gone = new Map<string, number>();
  const note = (observer: string): void => void (gone.has(observer) || gone.set(observer, Date.now()));
  view.room.roster.on("leave", () => note("room"));
  view.alice.lobby.on("leave", () => note("lobby"));
  stock.awareness.on("change", () => stock.awareness.states.has(id) || note("room, stock"));
  reader.doc.on("update", () => isRead() || note("lobby, stock"));
  const diedAt = Date.now();
  // for ever: he notices as soon as the relay does, and would be back within the grace
  proxy.blackHole(true);
  await until("gone from all", () => gone.size === 4, withinMs + 4_000);
  expect(view.leaves).toHaveLength(2);
  for (const { user } of view.leaves) {
    expect(Math.abs(user.lastSeen - diedAt)).toBeLessThan(300);
    for (const at of gone.values()) {
      expect(at - user.lastSeen).toBeLessThan(withinMs);
      // not because somebody said so
      expect(at - user.lastSeen).toBeGreaterThan(withinMs / 2);
    }
  }
  const lastSeen = Math.max(...view.leaves.map(({ user }) => user.lastSeen));
  const each = [...gone].map(([observer, at]) => `${observer} ${at - lastSeen}`).join("; ");
  return `last seen ${lastSeen - diedAt} ms after the link died; gone after (ms): ${each}`;
}
