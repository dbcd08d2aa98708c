import { describe, expect, it, onTestFinished } from "vitest";
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate, removeAwarenessStates } from "y-protocols/awareness";
import * as Y from "yjs";
import { type Roster, type TrackOptions, trackAwareness } from "../../../src/client/index.ts";
import { ownClient, startRelay, stockClient, until } from "../../support.ts";

/** Somebody else in the same place. */
interface Other {
  readonly awareness: Awareness;
  readonly leave: () => void;
}

/** A place that people meet in, no matter who provides it: oneself, and others who come. */
interface Place {
  readonly awareness: Awareness;
  readonly come: (user: object) => Other;
}

const quick = { tick: 0, lobbyTick: 0 };

function plainAwareness(): Awareness {
  const awareness = new Awareness(new Y.Doc());
  onTestFinished(() => awareness.destroy());
  return awareness;
}

const providers: { readonly name: string; open(): Promise<Place> }[] = [
  {
    // over a wire of one's own, as y-webrtc does it
    name: "y-protocols alone",
    open() {
      const awareness = plainAwareness();
      const come = (user: object): Other => {
        const other = plainAwareness();
        const wire = (from: Awareness, to: Awareness) => (changes: Record<string, number[]>, origin: unknown) => {
          if (origin !== "wire")
            applyAwarenessUpdate(to, encodeAwarenessUpdate(from, Object.values(changes).flat()), "wire");
        };
        other.on("update", wire(other, awareness));
        other.setLocalStateField("user", user);
        return { awareness: other, leave: () => removeAwarenessStates(other, [other.clientID], "leave") };
      };
      return Promise.resolve({ awareness, come });
    },
  },
  {
    name: "y-websocket",
    async open() {
      const { url } = await startRelay(quick);
      const { awareness } = stockClient(url, "doc");
      const come = (user: object): Other => {
        const provider = stockClient(url, "doc", { user: { ...user } });
        return { awareness: provider.awareness, leave: () => provider.destroy() };
      };
      return { awareness, come };
    },
  },
  {
    name: "a room of ours",
    async open() {
      const { url } = await startRelay(quick);
      const { awareness } = ownClient(url, "me").join("doc");
      const come = (user: object): Other => {
        const presence = ownClient(url, "x", { user: user as { readonly id: string } });
        return { awareness: presence.join("doc").awareness, leave: () => presence.destroy() };
      };
      return { awareness, come };
    },
  },
];

function track(awareness: Awareness, options?: TrackOptions) {
  const roster = trackAwareness(awareness, options);
  onTestFinished(() => roster.destroy());
  return { roster, log: record(roster) };
}

function record(roster: Roster): string[] {
  const log: string[] = [];
  roster.on("event", ({ type, userId, roomId }) => log.push(`${type} ${userId} ${roomId}`));
  roster.on("synced", ({ users }) => log.push(`synced ${users.length}`));
  roster.on("status", (status) => log.push(status));
  return log;
}

const others = ({ users }: Roster): string[] => users.flatMap(({ id, self }) => (self ? [] : [id]));

describe.for(providers)("an Awareness of $name", (provider) => {
  it("[ROSTER-8] has a roster as ours: who is there first, then who comes, changes and leaves", async () => {
    const { awareness, come } = await provider.open();
    const carol = come({ id: "carol", name: "Carol" });
    await until("Carol is there", () => awareness.states.has(carol.awareness.clientID));
    const { roster, log } = track(awareness, { roomId: "place" });
    expect([roster.status, roster.synced, others(roster), roster.self?.self]).toEqual(["live", true, ["carol"], true]);
    const tabs = [come({ id: "bob", name: "Bob" })];
    await until("Bob is there", () => roster.get("bob") !== undefined);
    tabs.push(come({ id: "bob", name: "Bob" }));
    await until("twice", () => roster.get("bob")?.sessions.length === 2);
    expect(others(roster)).toEqual(["bob", "carol"]);
    const clients = tabs.map((tab) => tab.awareness.clientID);
    expect(new Set(roster.get("bob")?.sessions.map(({ clientId }) => clientId))).toEqual(new Set(clients));
    tabs[0]?.leave();
    await until("once", () => roster.get("bob")?.sessions.length === 1);
    // an editor's cursor is not presence
    const before = roster.getSnapshot();
    tabs[1]?.awareness.setLocalStateField("cursor", { anchor: 1 });
    await until("the cursor is there", () => awareness.states.get(clients[1]!)?.["cursor"] !== undefined);
    expect(roster.getSnapshot()).toBe(before);
    tabs[1]?.leave();
    await until("Bob is gone", () => roster.get("bob") === undefined);
    expect(log).toEqual(["join bob place", "update bob place", "update bob place", "leave bob place"]);

    roster.destroy();
    carol.leave();
    await until("Carol is gone", () => !awareness.states.has(carol.awareness.clientID));
    expect(others(roster)).toEqual(["carol"]);
    expect(log).toHaveLength(4);
  });

  it("[ROSTER-5] [ROSTER-8] is told how its provider fares", async () => {
    const { awareness, come } = await provider.open();
    const { roster, log } = track(awareness, { status: "connecting" });
    const bob = come({ id: "bob", name: "Bob" });
    await until("Bob is there", () => roster.get("bob") !== undefined);
    expect([roster.status, roster.synced, log]).toEqual(["connecting", false, []]);
    for (const status of ["live", "live", "stale", "live"] as const) roster.setStatus(status);
    expect(log).toEqual(["synced 2", "live", "stale", "live"]);
    bob.leave();
    await until("Bob is gone", () => roster.get("bob") === undefined);
    expect(log.at(-1)).toBe("leave bob room");
  });
});

describe("a tracked Awareness", () => {
  it("[STATE-1] [STATE-2] knows a state without a user as a guest, and one without presence as online", () => {
    const awareness = plainAwareness();
    const { roster } = track(awareness);
    expect(roster.self).toMatchObject({
      id: `guest:${awareness.clientID}`,
      guest: true,
      status: "online",
      device: "unknown",
      meta: {},
      sessions: [{ id: `client:${awareness.clientID}`, clientId: awareness.clientID }],
    });
  });

  it("[ROSTER-7] tells of no leave when one says who one is", () => {
    const awareness = plainAwareness();
    const { roster, log } = track(awareness);
    awareness.setLocalStateField("user", { id: "alice", name: "Alice" });
    expect(roster.users.map(({ id, self }) => [id, self])).toEqual([["alice", true]]);
    awareness.setLocalState(null);
    expect([roster.users, roster.self]).toEqual([[], null]);
    awareness.setLocalState({ user: { id: "bob" } });
    expect(roster.self?.id).toBe("bob");
    expect(log).toEqual([]);
  });

  it("shows what else is known of a connection", () => {
    const awareness = plainAwareness();
    const other = plainAwareness();
    other.setLocalStateField("user", { id: "bob" });
    let mark: "reconnecting" | "silent" | "clear" | undefined;
    const bob = other.clientID;
    const options: TrackOptions = {
      connectionOf: (id) => (id === bob && mark !== undefined ? { mark, lastSeen: 5 } : undefined),
    };
    const roster = trackAwareness(awareness, options);
    onTestFinished(() => roster.destroy());
    const tell = (what: typeof mark): unknown => {
      mark = what;
      other.setLocalState(other.getLocalState());
      applyAwarenessUpdate(awareness, encodeAwarenessUpdate(other, [bob]), "wire");
      awareness.emit("change", [{ added: [], updated: [bob], removed: [] }, "test"]);
      const { status, reconnecting } = roster.get("bob")!;
      return [status, reconnecting];
    };
    expect(tell(undefined)).toEqual(["online", false]);
    expect(tell("reconnecting")).toEqual(["online", true]);
    expect(tell("silent")).toEqual(["away", false]);
    expect(tell("clear")).toEqual(["online", false]);
    const left: number[] = [];
    roster.on("leave", ({ user }) => left.push(user.lastSeen));
    removeAwarenessStates(awareness, [bob], "test");
    expect(left).toEqual([5]);
  });
});
