/** What a tab says when its status changes, counted on its socket. */
import { expect, it } from "vitest";
import { WebSocket } from "ws";
import { LINK_CHANNEL, envelope, openEnvelope } from "../../../src/wire/index.ts";
import { greeter } from "../greeting.ts";
import { ownClient, startRelay, stockClient, until } from "../../support.ts";

/** A WebSocket that writes down what is sent, and the messages in it that are no sign of life. */
function countingSocket() {
  const said: Uint8Array[] = [];
  const keepAlive = envelope(LINK_CHANNEL, Uint8Array.of(1, 1, 0));
  class CountingSocket extends WebSocket {
    override send(data: Uint8Array): void {
      if (Buffer.compare(data, keepAlive) !== 0) said.push(data);
      super.send(data);
    }
  }
  return { said, CountingSocket };
}

it("[LINK-13] changes its status in twenty rooms and the lobby with one message", async () => {
  const { url } = await startRelay({ tick: 0, lobbyTick: 0 });
  const { said, CountingSocket } = countingSocket();
  const names = Array.from({ length: 20 }, (_, i) => `doc-${i}`);
  const alice = ownClient(url, "alice", { WebSocket: CountingSocket });
  const bob = ownClient(url, "bob");
  const hers = names.map((name, i) => alice.join(name, { meta: { n: i } }));
  const his = names.map((name) => bob.join(name));
  const stock = stockClient(url, "doc-7");
  await until("all see all", () => [...hers, ...his].every(({ roster }) => roster.count >= 2));
  await until("all is said", () => stock.awareness.states.size === 3 && hers.every(({ provider }) => provider.synced));
  hers[7]?.awareness.setLocalStateField("cursor", 1);
  await until("he sees her cursor", () =>
    [...(his[7]?.awareness.states.values() ?? [])].some((state) => state["cursor"] === 1),
  );

  said.length = 0;
  alice.setStatus("dnd");
  await until("he sees it everywhere", () =>
    [bob.lobby, ...his.map(({ roster }) => roster)].every((roster) => roster.get("alice")?.status === "dnd"),
  );
  expect(said.map((data) => openEnvelope(data).channel)).toEqual([LINK_CHANNEL]);
  expect(said[0]?.length).toBeLessThan(120);
  expect(his.map(({ roster }) => roster.get("alice")?.sessions[0]?.meta)).toEqual(names.map((_, n) => ({ n })));

  // what she says next in a room builds on it
  const id = hers[7]?.awareness.clientID ?? 0;
  hers[7]?.awareness.setLocalStateField("cursor", 2);
  alice.setUser({ name: "Al" });
  await until("both are seen, as they are", () => {
    const own = JSON.stringify(hers[7]?.awareness.getLocalState());
    return [his[7], stock].every((observer) => JSON.stringify(observer?.awareness.states.get(id)) === own);
  });
  expect(said.map((data) => openEnvelope(data).channel).filter((channel) => channel === LINK_CHANNEL)).toHaveLength(2);
});

it("[LINK-16] changes it in each room where the relay does not say that it takes it once", async () => {
  const relay = await greeter(() => ({}));
  const alice = ownClient(relay.url, "alice");
  const rooms = ["a", "b"].map((name) => alice.join(name));
  await until("all is said", () => rooms.every(({ provider }) => provider.synced));
  relay.heard.length = 0;
  alice.setStatus("dnd");
  await until("all rooms are told", () => relay.heard.length === 3);
  expect(relay.heard.map(({ frame }) => frame.type)).toEqual(["patch", "patch", "patch"]);
});
