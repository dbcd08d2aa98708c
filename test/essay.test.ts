/**
 * The situations that every presence feature meets, end to end: clients, a relay and the links between them are real;
 * where a browser would be there is a page that is hidden and shown by hand.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ManualStatus, Presence, PresenceEvent, PresenceOptions, Roster } from "../src/client/index.ts";
import { ownClient, pause, poll, startRelay, until } from "./support.ts";
import { tcpProxy } from "./proxy.ts";
import { type Tab, elapse, openTab, tellTime, untilTold } from "./tab.ts";

const quick = { tick: 0, lobbyTick: 0 };
const timing = { backoffMs: 20, maxBackoffMs: 100, probeTimeoutMs: 150 };
/** A room and the lobby, as Bob sees them. */
function lookOn(bob: Presence): readonly [Roster, Roster] {
  return [bob.join("doc").roster, bob.lobby];
}

/** What Bob is told of Alice from now on: joins, leaves, and each status that is new. */
function tell(rosters: readonly Roster[]): readonly string[][] {
  return rosters.map((roster) => {
    const log: string[] = [];
    roster.on("event", (event) => {
      if (event.userId !== "alice") return;
      if (event.type !== "update") log.push(event.type);
      else if (event.status !== event.previous.status) log.push(event.status);
    });
    return log;
  });
}

const twice = (...log: readonly string[]): unknown => [log, log];
const both = (rosters: readonly Roster[], condition: (roster: Roster) => boolean) => (): boolean =>
  rosters.every(condition);
const sees = (roster: Roster): boolean => roster.get("alice")?.rooms.includes("doc") === true;

/** Alice in a tab or app, in the room. */
function alicesTab(url: string, options: Partial<PresenceOptions> = {}): Tab {
  const tab = openTab(url, "alice", { timing, ...options });
  tab.presence.join("doc");
  return tab;
}

describe("What Presence Actually Means", () => {
  it("Status: online, away, busy, do not disturb, offline", async () => {
    const { url } = await startRelay(quick);
    const rosters = lookOn(ownClient(url, "bob"));
    const { presence } = alicesTab(url);
    await until("Bob sees her", both(rosters, sees));
    const logs = tell(rosters);
    const choices: (ManualStatus | null)[] = ["busy", "away", "dnd", null, "invisible"];
    for (const [i, choice] of choices.entries()) {
      presence.setStatus(choice);
      await until(`Bob sees ${choice}`, () => logs.every((log) => log.length === i + 1));
    }
    expect(logs).toEqual(twice("busy", "away", "dnd", "online", "leave"));
  });

  it("Last seen: now, while a user is here; then when they last were", async () => {
    const { url } = await startRelay({ ...quick, leaveGrace: 500 });
    const bob = ownClient(url, "bob");
    const rosters = lookOn(bob);
    const tab = alicesTab(url);
    await until("Bob sees her", both(rosters, sees));
    await pause(50);
    expect(Date.now() - (bob.lobby.get("alice")?.lastSeen ?? 0)).toBeLessThan(25);
    const lost = Date.now();
    tab.end("killed");
    await until("she left", () => bob.lobby.get("alice")?.status === "offline");
    await pause(50);
    const { lastSeen } = bob.lobby.get("alice")!;
    expect(lastSeen).toBeLessThanOrEqual(lost + 200);
    expect(lastSeen).toBeGreaterThan(lost - 500);
    expect(bob.lobby.recent.map(({ id }) => id)).toEqual(["alice"]);
  });

  it("Custom metadata: the paragraph that each is editing, the ticket that an agent has open", async () => {
    const { url } = await startRelay(quick);
    const [room, lobby] = lookOn(ownClient(url, "bob"));
    const alice = ownClient<{ ticket: number }, { paragraph: number }>(url, "alice", { meta: { ticket: 1 } });
    const hers = alice.join("doc", { meta: { paragraph: 1 } });
    const seen = (): unknown => [room.get("alice")?.meta, lobby.get("alice")?.meta];
    await expect.poll(seen, poll).toEqual([{ paragraph: 1 }, { ticket: 1 }]);
    hers.setMeta(({ paragraph }) => ({ paragraph: paragraph + 1 }));
    await expect.poll(seen, poll).toEqual([{ paragraph: 2 }, { ticket: 1 }]);
    alice.setMeta({ ticket: 2 });
    await expect.poll(seen, poll).toEqual([{ paragraph: 2 }, { ticket: 2 }]);
  });

  it("Device context: mobile or desktop", async () => {
    const { url } = await startRelay(quick);
    const rosters = lookOn(ownClient(url, "bob"));
    const [desktop] = [alicesTab(url, { device: "desktop" }), alicesTab(url, { device: "mobile" })];
    await until(
      "Bob sees both",
      both(rosters, (roster) => roster.get("alice")?.devices.length === 2),
    );
    for (const roster of rosters) expect(new Set(roster.get("alice")?.devices)).toEqual(new Set(["desktop", "mobile"]));
    desktop?.presence.destroy();
    await until(
      "the phone is left",
      both(rosters, (roster) => roster.get("alice")?.devices.length === 1),
    );
    for (const roster of rosters) expect(roster.get("alice")).toMatchObject({ device: "mobile", devices: ["mobile"] });
  });
});

describe("The Naive Approach: Polling", () => {
  it("nobody asks: while nothing changes, nothing is sent", async () => {
    const { url, port } = await startRelay();
    const proxy = await tcpProxy(port);
    const rosters = lookOn(ownClient(proxy.url, "bob"));
    alicesTab(url);
    await until("Bob sees her", both(rosters, sees));
    let carried = -1;
    await until("all is said", async () => {
      const before = proxy.carried;
      await pause(150);
      carried = proxy.carried;
      return carried === before;
    });
    await pause(500);
    expect(proxy.carried).toBe(carried);
  });

  it("a user who logs out is not green for half a minute", async () => {
    const { url } = await startRelay();
    const rosters = lookOn(ownClient(url, "bob"));
    const { presence } = alicesTab(url);
    await until("Bob sees her", both(rosters, sees));
    presence.destroy();
    // well within the grace of those whom the network lost
    const seen = (): unknown => rosters.map((roster) => roster.get("alice")?.status);
    await expect.poll(seen, { ...poll, timeout: 1_500 }).toEqual([undefined, "offline"]);
  });
});

describe("The Event-Driven Approach", () => {
  it("the relay emits join and leave, to its own side and to the clients, with who, what and where", async () => {
    const { url, relay } = await startRelay({ ...quick, leaveGrace: 50 });
    const bob = ownClient(url, "bob");
    const roster = bob.join("room_xyz").roster;
    await until("Bob is in", () => roster.status === "live" && relay.room("room_xyz") !== undefined);
    const events: PresenceEvent[][] = [[], []];
    for (const type of ["join", "leave"] as const) {
      relay.on(type, (event) => event.userId === "u_abc123" && event.roomId === "room_xyz" && events[0]?.push(event));
      roster.on(type, (event) => events[1]?.push(event));
    }
    const before = Date.now();
    const metadata = { displayName: "Alice", avatar: "https://example.org/a.png" };
    const alice = ownClient(url, "u_abc123");
    alice.join("room_xyz", { meta: metadata });
    await until("she joins", () => events.every((log) => log.length === 1));
    alice.destroy();
    await until("she leaves", () => events.every((log) => log.length === 2));
    const base = { userId: "u_abc123", roomId: "room_xyz", timestamp: expect.any(Number) as number };
    for (const log of events) {
      expect(log[0]).toMatchObject({ ...base, type: "join", status: "online", metadata });
      expect(log[1]).toMatchObject({ ...base, type: "leave", status: "offline" });
      for (const { timestamp } of log) expect(Math.abs(timestamp - before)).toBeLessThan(5_000);
    }
  });
});

describe("Per-Room vs Global Presence", () => {
  it("per room: who is in it, a snapshot first and then what changes, and nothing of other rooms", async () => {
    const { url } = await startRelay(quick);
    const alice = ownClient(url, "alice");
    const inA = alice.join("A");
    ownClient(url, "carol").join("B");
    await until("both are there", () => alice.lobby.usersIn("B").length === 1 && inA.roster.status === "live");

    const roster = ownClient(url, "bob").join("A").roster;
    const log: string[] = [];
    roster.on("synced", ({ users }) => log.push(`synced ${users.map(({ id }) => id).join(" ")}`));
    roster.on("event", ({ type, userId }) => log.push(`${type} ${userId}`));
    await until("Bob is in", () => roster.synced);
    const dave = ownClient(url, "dave");
    dave.join("B");
    const daves = dave.join("A");
    await until("Dave is in", () => roster.users.length === 3);
    inA.setMeta({ typing: true });
    await until("Alice types", () => roster.get("alice")?.meta["typing"] === true);
    daves.leave();
    await until("Dave is out", () => roster.users.length === 2);
    await pause(30);
    expect(log).toEqual(["synced alice bob", "join dave", "update alice", "leave dave"]);
  });

  it("global: who is online anywhere, a snapshot first and then what changes, in no room at all too", async () => {
    const { url, relay } = await startRelay(quick);
    const alice = ownClient(url, "alice");
    alice.join("A");
    ownClient(url, "carol");
    await until("both are there", () => relay.users().length === 2 && relay.user("alice")?.rooms.length === 1);

    const { lobby } = ownClient(url, "bob");
    const log: string[] = [];
    lobby.on("synced", ({ users }) =>
      log.push(`synced ${users.map(({ id, rooms }) => `${id}(${rooms.join(" ")})`).join(" ")}`),
    );
    lobby.on("event", ({ type, userId, user }) => log.push(`${type} ${userId}(${user.rooms.join(" ")})`));
    await until("Bob is there", () => lobby.synced);
    alice.join("B");
    await until("Alice is in both", () => lobby.get("alice")?.rooms.length === 2);
    const dave = ownClient(url, "dave");
    await until("Dave is there", () => lobby.get("dave") !== undefined);
    dave.destroy();
    await until("Dave is gone", () => lobby.get("dave")?.status === "offline");
    await pause(30);
    expect(log).toEqual(["synced alice(A) bob() carol()", "update alice(A B)", "join dave()", "leave dave()"]);
  });
});

describe("Edge Cases That Will Bite You", () => {
  describe("Tab Switching", () => {
    it("[ACT-1] [ACT-2] [ACT-3] back within 10 s changes nothing, hidden for 45 s is away, back is online at once", async () => {
      tellTime();
      const { url } = await startRelay();
      const rosters = lookOn(ownClient(url, "bob"));
      const { page } = alicesTab(url);
      await untilTold("Bob sees her", both(rosters, sees));
      const logs = tell(rosters);
      const events: PresenceEvent[] = [];
      for (const roster of rosters) roster.on("event", (event) => events.push(event));

      page.signal("hidden");
      await elapse(10_000);
      page.show();
      // the relay is asked whether it is there, and has 150 ms to answer
      await elapse(500, 50);
      await elapse(60_000);
      expect(events).toEqual([]);

      page.signal("hidden");
      await elapse(44_000);
      expect(events).toEqual([]);
      await elapse(1_500);
      expect(logs).toEqual(twice("away"));
      await elapse(300_000, 1_000);
      page.show();
      await elapse(500, 50);
      expect(logs).toEqual(twice("away", "online"));
    });
  });

  describe("Mobile Backgrounding", () => {
    it("[ACT-2] a phone is away sooner than a tab", async () => {
      tellTime();
      const { url } = await startRelay();
      const rosters = lookOn(ownClient(url, "bob"));
      const { page } = alicesTab(url, { device: "mobile" });
      const carol = openTab(url, "carol", { device: "desktop" });
      carol.presence.join("doc");
      await untilTold(
        "Bob sees both",
        both(rosters, (roster) => sees(roster) && roster.users.length === 3),
      );
      page.signal("hidden");
      carol.page.signal("hidden");
      await elapse(14_000);
      for (const { users } of rosters)
        expect(users.map(({ status }) => status)).toEqual(["online", "online", "online"]);
      await elapse(2_000);
      for (const { users } of rosters) expect(users.map(({ status }) => status)).toEqual(["away", "online", "online"]);
    });

    /** Alice's phone behind a link that dies without a word, as when the system suspends the app. */
    async function phone(options: {
      readonly pingInterval?: number;
      readonly pingTimeout?: number;
      readonly leaveGrace?: number;
    }) {
      const { url, port, relay } = await startRelay({ ...quick, ...options });
      const proxy = await tcpProxy(port);
      const bob = ownClient(url, "bob");
      const rosters = lookOn(bob);
      const room = bob.join("doc");
      const tab = openTab(proxy.url, "alice", { timing, device: "mobile", meta: { view: "inbox" } });
      const hers = tab.presence.join("doc", { meta: { line: 1 } });
      await until("Bob sees her", both(rosters, sees));
      const joined: PresenceEvent[] = [];
      for (const roster of rosters) roster.on("join", (event) => joined.push(event));
      /** The app goes to the background, and its link with it; meanwhile it moves on. */
      const suspend = (): void => {
        tab.page.signal("hidden");
        proxy.blackHole();
        hers.setMeta({ line: 9 });
        tab.presence.setMeta({ view: "chat" });
      };
      const metas = (): unknown => rosters.map((roster) => roster.get("alice")?.meta);
      const ids = [hers.awareness.clientID, tab.presence.session];
      return { relay, proxy, tab, hers, room, rosters, logs: tell(rosters), joined, suspend, metas, ids };
    }

    const now = [{ line: 9 }, { view: "chat" }];

    it("[ACT-4] on return the dropped socket is noticed, and it joins again with its metadata as it is now", async () => {
      const { tab, hers, rosters, logs, joined, suspend, metas, ids } = await phone({
        pingInterval: 150,
        pingTimeout: 150,
        leaveGrace: 150,
      });
      suspend();
      await until("Bob sees her leave", () => logs.every((log) => log.length === 1));
      // nobody told the phone
      expect([hers.provider.wsconnected, hers.roster.status, tab.sockets.length]).toEqual([true, "live", 1]);
      tab.page.show();
      await until("Bob sees her return", () => logs.every((log) => log.length === 2));
      expect(logs).toEqual(twice("leave", "join"));
      await expect.poll(metas, poll).toEqual(now);
      expect(joined.map(({ roomId }) => roomId).toSorted()).toEqual(["@lobby", "doc"]);
      // the lobby may hear of a session in a room first: then it knows the metadata of that room at first
      for (const { metadata, status } of joined)
        expect([now, status]).toEqual([expect.arrayContaining([metadata]), "online"]);
      await until("she sees Bob", () => hers.roster.status === "live" && hers.roster.get("bob") !== undefined);
      expect(tab.sockets).toHaveLength(2);
      expect([hers.awareness.clientID, rosters[1].get("alice")?.sessions[0]?.id]).toEqual(ids);
    });

    it("[ACT-4] [LIVE-2] [OWN-3] back before anybody noticed, it is as if it had never been away", async () => {
      const { tab, hers, room, logs, joined, suspend, metas, relay } = await phone({});
      suspend();
      await pause(50);
      expect(hers.provider.wsconnected).toBe(true);
      tab.page.show();
      await expect.poll(metas, poll).toEqual(now);
      expect([...logs.flat(), ...joined]).toEqual([]);
      expect(room.awareness.states.size).toBe(2);
      expect(relay.user("alice")?.sessions).toHaveLength(1);
    });

    it("[ACT-4] when the link still stands, nothing is dialed anew", async () => {
      const { tab, hers, logs } = await phone({});
      tab.page.signal("hidden");
      hers.setMeta({ line: 2 });
      tab.page.show();
      await pause(timing.probeTimeoutMs * 2);
      expect([tab.sockets.length, hers.provider.wsconnected]).toEqual([1, true]);
      expect(logs).toEqual([[], []]);
    });
  });

  describe("Ungraceful Disconnects", () => {
    it("[LIVE-1] a graceful one is a leave at once", async () => {
      const { url } = await startRelay({ ...quick, leaveGrace: 60_000 });
      const rosters = lookOn(ownClient(url, "bob"));
      const { presence } = alicesTab(url);
      await until("Bob sees her", both(rosters, sees));
      const logs = tell(rosters);
      presence.destroy();
      await until("Bob sees her leave", () => logs.every((log) => log.length === 1));
      expect(logs).toEqual(twice("leave"));
    });

    it("[LIVE-2] the process is killed: a leave once the grace is over", async () => {
      const { url } = await startRelay({ ...quick, leaveGrace: 400 });
      const rosters = lookOn(ownClient(url, "bob"));
      const program = `
        import { WebSocket } from "ws";
        import { createPresence } from "./dist/client/index.js";
        createPresence("${url}", { user: { id: "alice" }, WebSocket }).join("doc");
      `;
      const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
        cwd: fileURLToPath(new URL("..", import.meta.url)),
        stdio: "inherit",
      });
      onTestFinished(() => void child.kill("SIGKILL"));
      await until("Bob sees her", both(rosters, sees), 15_000);
      const logs = tell(rosters);
      const killed = performance.now();
      child.kill("SIGKILL");
      await until(
        "Bob sees that she is lost",
        both(rosters, (roster) => roster.get("alice")?.reconnecting === true),
      );
      expect(logs).toEqual([[], []]);
      await until("Bob sees her leave", () => logs.every((log) => log.length === 1));
      expect(performance.now() - killed).toBeGreaterThan(350);
      expect(logs).toEqual(twice("leave"));
    });

    it("[LIVE-4] the network drops: a leave within 28 s of the last sign of life, and those who are quiet stay", async () => {
      tellTime();
      const { url, port } = await startRelay();
      const proxy = await tcpProxy(port);
      const rosters = lookOn(ownClient(url, "bob"));
      alicesTab(proxy.url);
      await untilTold("Bob sees her", both(rosters, sees));
      // she answers for a while, then her device loses power
      await elapse(120_000, 500);
      const logs = tell(rosters);
      proxy.blackHole(true);
      // at the earliest: asked at once, not answered for 10 s, waited for 3 s
      await elapse(12_000);
      expect(logs).toEqual([[], []]);
      await elapse(16_500);
      expect(logs).toEqual(twice("leave"));
      for (const { users } of rosters) expect(users.map(({ id }) => id)).toEqual(["bob"]);
    });
  });

  describe("Multiple Connections", () => {
    it("[USER-1] [ROSTER-2] a tab is closed and the user stays; when the last one is, there is one leave", async () => {
      const { url, relay } = await startRelay({ ...quick, leaveGrace: 100 });
      const rosters = lookOn(ownClient(url, "bob"));
      const tabs = [alicesTab(url), alicesTab(url), alicesTab(url, { device: "mobile" })];
      const count = (expected: number) =>
        both(rosters, (roster) => (roster.get("alice")?.sessions.length ?? 0) === expected);
      await until("Bob sees three sessions", count(3));
      for (const { users } of rosters) expect(users.map(({ id }) => id)).toEqual(["alice", "bob"]);
      const logs = tell(rosters);
      const atRelay: string[] = [];
      for (const type of ["join", "leave"] as const) relay.on(type, ({ roomId }) => atRelay.push(`${type} ${roomId}`));
      tabs[0]?.presence.destroy();
      await until("two are left", count(2));
      tabs[1]?.end("unloaded");
      await until("one is left", count(1));
      expect([...logs.flat(), ...atRelay]).toEqual([]);
      tabs[2]?.end("killed");
      await until("none is left", () => count(0)() && atRelay.length >= 2);
      await pause(50);
      expect(logs).toEqual(twice("leave"));
      expect(new Set(atRelay)).toEqual(new Set(["leave doc", "leave @lobby"]));
      expect(atRelay).toHaveLength(2);
    });
  });
});
