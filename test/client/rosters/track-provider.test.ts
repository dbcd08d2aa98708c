/** Rosters over providers of others that say how they fare. */
import { ObservableV2 } from "lib0/observable";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate, removeAwarenessStates } from "y-protocols/awareness";
import * as Y from "yjs";
import { type Roster, type StatusProvider, type TrackOptions, trackAwareness } from "../../../src/client/index.ts";
import { createRelay } from "../../../src/relay/index.ts";
import { startRelay, stockClient, until } from "../../support.ts";

function record(roster: Roster): string[] {
  const log: string[] = [];
  roster.on("event", ({ type, userId, user }) =>
    log.push(`${type} ${userId}${user.reconnecting ? " reconnecting" : ""}`),
  );
  roster.on("synced", ({ users }) => log.push(`synced ${users.length}`));
  roster.on("status", (status) => log.push(status));
  return log;
}

function plainAwareness(): Awareness {
  const awareness = new Awareness(new Y.Doc());
  onTestFinished(() => awareness.destroy());
  return awareness;
}

/** A provider that does by hand what others do when their connection is lost and comes back. */
class ScriptedProvider extends ObservableV2<Record<string, (event: unknown) => void>> {
  wsconnected = true;
  synced = true;
  readonly awareness = plainAwareness();
  readonly bob = plainAwareness();

  constructor() {
    super();
    this.bob.setLocalStateField("user", { id: "bob", name: "Bob" });
    this.hearsBob();
  }

  hearsBob(): void {
    this.bob.setLocalState(this.bob.getLocalState());
    applyAwarenessUpdate(this.awareness, encodeAwarenessUpdate(this.bob, [this.bob.clientID]), this);
  }

  forgets(): void {
    const others = [...this.awareness.states.keys()].filter((id) => id !== this.awareness.clientID);
    removeAwarenessStates(this.awareness, others, this);
  }

  says(type: string, event: unknown): void {
    this.emit(type, [event]);
  }
}

function track(provider: ScriptedProvider, options: TrackOptions = {}) {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const roster = trackAwareness(provider.awareness, { provider, ...options });
  onTestFinished(() => roster.destroy());
  return { roster, log: record(roster) };
}

/** How those providers tell of a connection that is lost, and of one that is back. */
const manners: [string, Record<"lose" | "back", (provider: ScriptedProvider) => void>][] = [
  [
    "y-websocket, which forgets before it says so",
    {
      lose(provider) {
        provider.says("sync", false);
        provider.forgets();
        provider.says("status", { status: "disconnected" });
      },
      back(provider) {
        provider.says("status", { status: "connecting" });
        provider.says("status", { status: "connected" });
        provider.says("synced", true);
        provider.says("sync", true);
      },
    },
  ],
  [
    "Hocuspocus, which says so before it forgets",
    {
      lose(provider) {
        provider.says("status", { status: "disconnected" });
        provider.forgets();
      },
      back(provider) {
        provider.says("status", { status: "connected" });
        provider.says("synced", { state: true });
      },
    },
  ],
  [
    "one that says no more than that it is connected",
    {
      lose(provider) {
        provider.says("status", { connected: false });
        provider.forgets();
      },
      back(provider) {
        provider.says("status", { connected: true });
        vi.advanceTimersByTime(2_000);
      },
    },
  ],
];

describe.for(manners)("an Awareness from %s", ([, { lose, back }]) => {
  it("[TRACK-1] [TRACK-2] [TRACK-3] keeps those who vanish with the connection, and nobody leaves who returns", async () => {
    const provider = new ScriptedProvider();
    const { roster, log } = track(provider);
    expect([roster.status, roster.get("bob")?.name]).toEqual(["live", "Bob"]);
    lose(provider);
    await Promise.resolve();
    expect([roster.status, roster.get("bob")?.reconnecting]).toEqual(["stale", true]);
    vi.advanceTimersByTime(600_000); // a long outage is nobody's leave
    expect(roster.get("bob")?.reconnecting).toBe(true);
    back(provider);
    expect(roster.status).toBe("live");
    vi.advanceTimersByTime(17_000);
    provider.hearsBob();
    vi.advanceTimersByTime(60_000);
    expect(roster.get("bob")?.reconnecting).toBe(false);
    expect(log.filter((line) => !line.startsWith("update"))).toEqual(["stale", "live"]);
  });

  it("[TRACK-3] lets go of those who do not return in time, who were last seen when they vanished", async () => {
    const provider = new ScriptedProvider();
    const { roster, log } = track(provider, { graceMs: 5_000 });
    const left: number[] = [];
    roster.on("leave", ({ user }) => left.push(user.lastSeen));
    const lostAt = Date.now();
    lose(provider);
    await Promise.resolve();
    vi.advanceTimersByTime(60_000);
    back(provider);
    vi.advanceTimersByTime(4_999);
    expect(roster.get("bob")?.reconnecting).toBe(true);
    vi.advanceTimersByTime(1);
    expect([roster.get("bob"), log.at(-1), left]).toEqual([undefined, "leave bob", [lostAt]]);
  });

  it("[TRACK-3] the grace begins anew when the connection is lost again", async () => {
    const provider = new ScriptedProvider();
    const { roster } = track(provider, { graceMs: 5_000 });
    lose(provider);
    await Promise.resolve();
    back(provider);
    vi.advanceTimersByTime(3_000);
    lose(provider);
    vi.advanceTimersByTime(60_000);
    expect(roster.get("bob")?.reconnecting).toBe(true);
    back(provider);
    vi.advanceTimersByTime(5_000);
    expect(roster.get("bob")).toBeUndefined();
  });
});

describe("an Awareness with its provider", () => {
  it("[TRACK-3] tells at once of who leaves while the provider is connected", async () => {
    const provider = new ScriptedProvider();
    const { log } = track(provider);
    removeAwarenessStates(provider.awareness, [provider.bob.clientID], provider);
    await Promise.resolve();
    expect(log).toEqual(["leave bob"]);
  });

  it("[TRACK-1] is `connecting` until the provider is in sync, and then announces one `synced`", () => {
    const provider = new ScriptedProvider();
    provider.wsconnected = provider.synced = false;
    const { roster, log } = track(provider);
    vi.advanceTimersByTime(60_000);
    expect([roster.status, log]).toEqual(["connecting", []]);
    provider.says("status", { status: "connecting" });
    provider.says("status", { status: "connected" });
    provider.says("status", { status: "disconnected" });
    expect(roster.status).toBe("connecting");
    provider.says("status", { status: "connected" });
    provider.says("sync", true);
    expect(log).toEqual(["synced 2", "live"]);
  });

  it("[TRACK-1] does not stay `connecting` over a provider that says nothing of itself", () => {
    const silent: StatusProvider = { on: () => {}, off: () => {} };
    const { roster } = track(new ScriptedProvider(), { provider: silent });
    expect(roster.status).toBe("connecting");
    vi.advanceTimersByTime(2_000);
    expect(roster.status).toBe("live");
  });

  it("[RUN-3] is not listened to once the roster is destroyed, and leaves no timer", async () => {
    const provider = new ScriptedProvider();
    const { roster, log } = track(provider);
    provider.says("status", { status: "disconnected" });
    provider.forgets();
    provider.says("synced", true);
    removeAwarenessStates(provider.awareness, [provider.awareness.clientID], provider);
    roster.destroy();
    const before = log.length;
    expect([...provider["_observers"].values()].every((listeners) => listeners.size === 0)).toBe(true);
    provider.says("status", { status: "connected" });
    await Promise.resolve();
    expect([vi.getTimerCount(), log.length]).toEqual([0, before]);
  });
});

describe("a stock y-websocket client", () => {
  it("[TRACK-2] [TRACK-3] sees nobody leave or join when its relay restarts", async () => {
    const first = createRelay();
    onTestFinished(() => first.close());
    const { port, url } = await first.listen(0, "127.0.0.1");
    const provider = stockClient(url, "doc", { user: { id: "alice", name: "Alice" } });
    const bob = stockClient(url, "doc", { user: { id: "bob", name: "Bob" } });
    await until("Alice's client has Bob", () => provider.awareness.states.has(bob.awareness.clientID));
    const roster = trackAwareness(provider.awareness, { provider, graceMs: 5_000 });
    onTestFinished(() => roster.destroy());
    const log = record(roster);
    await first.close();
    await until("it is stale", () => roster.status === "stale");
    expect(roster.get("bob")).toMatchObject({ name: "Bob", reconnecting: true });
    await startRelay({}, port);
    await until("it is live", () => roster.status === "live", 15_000);
    await until("Bob is back", () => roster.get("bob")?.reconnecting === false, 15_000);
    expect(log.filter((line) => !line.startsWith("update"))).toEqual(["stale", "live"]);
  });
});
