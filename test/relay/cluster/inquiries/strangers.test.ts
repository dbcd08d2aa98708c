/** Users of whom a relay knows nothing, while others know that they chose to be invisible. */
import { describe, expect, it, onTestFinished } from "vitest";
import type { WebSocket } from "ws";
import type { WebsocketProvider } from "y-websocket";
import { MemoryBus } from "../../../../src/relay/cluster/bus/memory-bus.ts";
import type { RelayConfig } from "../../../../src/relay/index.ts";
import { ownClient, startRelay, stockClient, until } from "../../../support.ts";
import { LateBus } from "../late-bus.ts";

/** Longer than a relay takes to show somebody, and shorter than it waits for others: a question and its answer take twice that, ms. */
const LATE_MS = 50;

async function relayOn(shared: MemoryBus, options: RelayConfig = {}) {
  const bus = new LateBus(shared, LATE_MS);
  return { bus, ...(await startRelay({ bus, leaveGrace: 300, onError: () => {}, ...options })) };
}

type RunningRelay = Awaited<ReturnType<typeof relayOn>>;

/** What a stock client in the room is told of a user, as it comes over its wire. */
function watch(
  { url }: RunningRelay,
  userId: string,
): { readonly provider: WebsocketProvider; readonly seen: string[] } {
  const provider = stockClient(url, "doc", { user: { id: "observer", name: "Observer" } });
  const seen: string[] = [];
  const { awareness } = provider;
  const note = (): void => {
    for (const state of awareness.getStates().values())
      if (state["user"]?.id === userId) seen.push(JSON.stringify(state));
  };
  awareness.on("change", note);
  onTestFinished(() => awareness.off("change", note));
  return { provider, seen };
}

const inLobby = ({ relay }: RunningRelay, userId: string): boolean => relay.users().some(({ id }) => id === userId);

describe("[BUS-40] a user of whom a relay knows nothing", () => {
  it("is seen on no relay when another one knows that the user is invisible, however new the relay is", async () => {
    const shared = new MemoryBus();
    const [here, there] = [await relayOn(shared), await relayOn(shared)];
    ownClient(there.url, "dave");
    const first = ownClient(here.url, "bob");
    const room = first.join("doc");
    await until("the other relay knows Bob", () => inLobby(there, "bob"));
    first.setStatus("invisible");
    await until("he is hidden", () => !inLobby(here, "bob") && !inLobby(there, "bob"));
    const fresh = await relayOn(shared);
    const wires = [here, there, fresh].map((relay) => watch(relay, "bob"));
    await until("all observers are there", () => wires.every(({ provider }) => provider.synced));
    const heard: string[] = [];
    for (const { relay } of [here, there, fresh]) relay.on("join", ({ userId }) => void heard.push(userId));
    // another device, which knows nothing of the choice
    const second = ownClient(fresh.url, "bob");
    second.join("doc").awareness.setLocalStateField("cursor", { x: 1 });
    await until("it is told of the choice", () => second.status.manual === "invisible");
    const carol = ownClient(fresh.url, "carol");
    carol.join("doc");
    await until("somebody who comes later is seen by all", () =>
      [here, there, fresh].every((each) => inLobby(each, "carol")),
    );
    expect(heard).not.toContain("bob");
    expect(wires.map(({ seen }) => seen)).toEqual([[], [], []]);
    second.setStatus(null);
    await until("he is seen once he chooses so", () => wires.every(({ seen }) => seen.length > 0));
    expect(room.roster.users.length).toBeGreaterThan(0);
  });

  it("is not seen either when the user has left the relay that knows of the choice", async () => {
    const shared = new MemoryBus();
    const [here, there] = [await relayOn(shared), await relayOn(shared)];
    const first = ownClient(here.url, "bob");
    const other = ownClient(there.url, "alice").join("doc");
    await until("both are seen", () => inLobby(there, "bob") && inLobby(here, "alice"));
    first.setStatus("invisible");
    await until("Bob is hidden", () => !inLobby(there, "bob"));
    first.destroy();
    await until("he has left", () => here.relay.metrics().connections === 0);
    const wire = watch(there, "bob");
    const second = ownClient(there.url, "bob");
    second.join("doc");
    await until("his device is told of the choice", () => second.status.manual === "invisible");
    expect(wire.seen).toEqual([]);
    expect(other.roster.get("bob")).toBeUndefined();
  });

  it("is seen after a moment when another relay does not answer", async () => {
    const shared = new MemoryBus();
    const [here, there] = [await relayOn(shared), await relayOn(shared)];
    here.bus.loses = ({ kind }) => kind === "chose";
    ownClient(here.url, "carol");
    await until("Carol is there", () => inLobby(here, "carol"));
    ownClient(there.url, "alice").join("doc");
    await until("Alice is seen", () => inLobby(there, "alice") && inLobby(here, "alice"));
    expect(here.bus.said.map(({ kind }) => kind)).toContain("chose");
  });

  it("is asked about once: not one who is here already, nor a guest", async () => {
    const shared = new MemoryBus();
    const [here, there] = [await relayOn(shared), await relayOn(shared)];
    ownClient(here.url, "carol");
    await until("Carol is there", () => inLobby(here, "carol"));
    ownClient(there.url, "alice").join("doc");
    const asked = (): number => there.bus.said.filter(({ kind }) => kind === "whoChose").length;
    await until("Alice is seen by both", () => inLobby(there, "alice") && inLobby(here, "alice"));
    expect(asked()).toBe(1);
    ownClient(there.url, "alice").join("other");
    const guest = stockClient(there.url, "other");
    guest.awareness.setLocalStateField("cursor", 1);
    await until("her second tab and a guest are there", () => there.relay.room("other")?.users.length === 2);
    expect(asked()).toBe(1);
  });

  it("is heard, too, in what the user says before others have answered", async () => {
    const shared = new MemoryBus();
    const [here, there] = [await relayOn(shared), await relayOn(shared)];
    const heard: unknown[] = [];
    const hers = ownClient(here.url, "alice").join("doc");
    hers.on("message", ({ type, from }) => heard.push([type, from?.userId]));
    await until("Alice is there", () => inLobby(here, "alice"));
    const bob = ownClient(there.url, "bob").join("doc");
    await until("Bob is let in", () => bob.provider.synced);
    bob.broadcast("hello", null);
    await until("Alice hears him", () => heard.length > 0);
    expect(heard).toEqual([["hello", "bob"]]);
  });

  it("goes on to be seen where the relay showed the user already, as connected to another relay", async () => {
    const shared = new MemoryBus();
    const [here, there] = [await relayOn(shared), await relayOn(shared)];
    // one who looks on and is nobody: this relay has no lobby yet, and so no shards of other relays
    const { awareness } = stockClient(here.url, "doc");
    awareness.setLocalState(null);
    const carol = stockClient(there.url, "doc", { user: { id: "carol", name: "Carol" } });
    await until("Carol is seen", () => awareness.getStates().has(carol.awareness.clientID));
    let leaves = 0;
    awareness.on("change", ({ removed }: { readonly removed: readonly number[] }) => (leaves += removed.length));
    const before = carol.ws;
    carol.serverUrl = here.url;
    (before as unknown as WebSocket).terminate();
    await until("Carol's new relay asks about her", () => here.bus.said.some(({ kind }) => kind === "whoChose"));
    await until("it counts her", () => inLobby(here, "carol") && carol.synced);
    expect(leaves).toBe(0);
  });

  it("is seen at once where no other relay is heard", async () => {
    const alone = await relayOn(new MemoryBus());
    await until("it has heard itself", () => alone.relay.metrics().bus?.echoMs !== null);
    const alice = ownClient(alone.url, "alice");
    alice.join("doc");
    await until("Alice is seen", () => inLobby(alone, "alice"));
    expect(alone.bus.said.filter(({ kind }) => kind === "whoChose")).toEqual([]);
  });
});
