import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Presence, PresenceOptions, Roster } from "../../src/client/index.ts";
import { type OwnSession, createSession } from "../../src/client/session.ts";
import { defaultActivityPolicy } from "../../src/presence/index.ts";
import { tcpProxy } from "../proxy.ts";
import { ownClient, pause, startRelay, until } from "../support.ts";
import { type TestPage, elapse, memory, openTab, tellTime, testPage, untilTold } from "../tab.ts";
// last: it keeps the clock that it finds, which is to be that of the tests
import * as Y from "yjs";

const quick = { tick: 0, lobbyTick: 0 };
const timing = { backoffMs: 20, maxBackoffMs: 100 };

/** The statuses of a user that a roster tells of from now on. */
function statusesOf(userId: string, roster: Roster): string[] {
  const log: string[] = [];
  roster.on("event", (event) => {
    if (event.userId !== userId) return;
    if (event.type !== "update") log.push(event.type);
    else if (event.status !== event.previous.status) log.push(event.status);
  });
  return log;
}

describe("activity", () => {
  const seconds = (count: number): number => count * 1_000;
  const minutes = (count: number): number => count * 60_000;

  /** What happens to Alice's page, numbers being the time until the next thing; and what Bob sees of it. */
  interface Story {
    readonly steps: readonly (number | "hidden" | "visible" | "input")[];
    readonly seen: readonly string[];
    readonly options?: Partial<PresenceOptions>;
  }
  const phone = { device: "mobile" } as const;
  const tablet = { device: "tablet" } as const;

  /** The statuses that Alice herself, the room and the lobby tell of. */
  async function play({ steps, options }: Story): Promise<readonly string[][]> {
    tellTime();
    const { url } = await startRelay();
    const page = (options?.page as TestPage | undefined) ?? testPage();
    const { presence } = openTab(url, "alice", { ...options, page });
    presence.join("doc");
    const bob = ownClient(url, "bob");
    const rosters = [bob.join("doc").roster, bob.lobby];
    await untilTold("they see each other", () => rosters.every((roster) => roster.users.length === 2));
    const logs = rosters.map((roster) => statusesOf("alice", roster));
    const autos: string[] = [];
    presence.subscribe(() => autos.push(presence.status.auto));
    for (const step of steps) {
      if (typeof step === "number") await elapse(step, step > minutes(1) ? 2_000 : 500);
      else page.signal(step);
    }
    const own = [...autos];
    await elapse(300, 50);
    return [own, ...logs];
  }

  const everywhere = ({ seen }: Story): unknown => [seen, seen, seen];

  it.for<[string, Story]>([
    ["hidden for less than 45 s", { steps: ["hidden", seconds(44), "visible"], seen: [] }],
    [
      "hidden again and again",
      {
        steps: ["hidden", seconds(30), "visible", seconds(1), "hidden", seconds(30), "visible", seconds(30)],
        seen: [],
      },
    ],
    [
      "visible with input every 5 min",
      { steps: [seconds(299), "input", seconds(299), "input", seconds(299)], seen: [] },
    ],
    [
      "a phone hidden for less than 15 s",
      { options: phone, steps: ["hidden", seconds(14), "visible", seconds(40)], seen: [] },
    ],
  ])("[ACT-1] stays online: %s", async ([, story]) => {
    expect(await play(story)).toEqual(everywhere(story));
  });

  it.for<[string, Story]>([
    ["hidden for 45 s", { steps: ["hidden", seconds(45)], seen: ["away"] }],
    ["hidden from the start", { options: { page: testPage(false) }, steps: [seconds(45)], seen: ["away"] }],
    ["visible without input for 5 min", { steps: [minutes(5)], seen: ["away"] }],
    ["input on a hidden page, which is none", { steps: ["hidden", seconds(40), "input", seconds(5)], seen: ["away"] }],
    ["a phone hidden for 15 s", { options: phone, steps: ["hidden", seconds(15)], seen: ["away"] }],
    ["a tablet hidden for 15 s", { options: tablet, steps: ["hidden", seconds(15)], seen: ["away"] }],
    ["a phone without input for 5 min", { options: phone, steps: [seconds(299), seconds(1)], seen: ["away"] }],
    [
      "thresholds of one's own",
      {
        options: { activity: { hiddenMs: 2_000, idleMs: 4_000 } },
        steps: ["hidden", 2_500, "visible", 3_500, "input", 4_000],
        seen: ["away", "online", "away"],
      },
    ],
  ])("[ACT-2] turns away: %s", async ([, story]) => {
    expect(await play(story)).toEqual(everywhere(story));
  });

  it.for<[string, Story]>([
    ["back on the page", { steps: ["hidden", seconds(60), "visible"], seen: ["away", "online"] }],
    ["with the next input", { steps: [minutes(6), "input"], seen: ["away", "online"] }],
  ])("[ACT-3] is online at once: %s", async ([, story]) => {
    expect(await play(story)).toEqual(everywhere(story));
  });

  it("[ACT-7] is online while she writes or moves a cursor, of which her page hears nothing", async () => {
    tellTime();
    const page = testPage();
    const alice = ownClient("ws://127.0.0.1:1", "alice", { page, activity: { idleMs: 60_000 } });
    const { doc, awareness } = alice.join("doc");
    const idle = (): void => {
      // told time has no fractions of a millisecond, and the real one that it goes on from has
      vi.advanceTimersByTime(60_010);
      expect(alice.status.auto).toBe("away");
    };
    const acts: [string, () => void][] = [
      ["an edit", () => doc.getText("text").insert(0, "a")],
      ["another way to edit", () => doc.getMap("map").set("key", 1)],
      ["a cursor", () => awareness.setLocalStateField("cursor", { anchor: 1 })],
      ["a cursor that moves", () => awareness.setLocalStateField("cursor", { anchor: 2 })],
      ["a binding that says all anew", () => awareness.setLocalState({ ...awareness.getLocalState(), focusing: true })],
      ["a cursor that goes", () => awareness.setLocalStateField("cursor", null)],
    ];
    for (const [what, act] of acts) {
      idle();
      act();
      expect([what, alice.status.auto]).toEqual([what, "online"]);
    }
  });

  it("[ACT-7] is away though others write, and her own client says who and how she is", () => {
    tellTime();
    const page = testPage();
    const alice = ownClient("ws://127.0.0.1:1", "alice", { page, activity: { idleMs: 60_000 } });
    const room = alice.join("doc");
    room.awareness.setLocalStateField("cursor", { anchor: 1 });
    vi.advanceTimersByTime(60_000);
    const bob = new Y.Doc();
    bob.getText("text").insert(0, "b");
    Y.applyUpdate(room.doc, Y.encodeStateAsUpdate(bob), "network");
    room.doc.transact(() => room.doc.getText("text").toString());
    room.setMeta({ page: 2 });
    alice.setStatus("busy");
    alice.setUser({ name: "Al" });
    room.awareness.setLocalState(room.awareness.getLocalState()); // a renewal
    room.awareness.setLocalStateField("cursor", { anchor: 1 });
    vi.advanceTimersByTime(40_000);
    expect(alice.status.auto).toBe("away");
    page.signal("hidden");
    room.doc.getText("text").insert(0, "a"); // by a script: nobody looks
    expect(alice.status.auto).toBe("away");
  });

  it("[ACT-2] turns away exactly then, and says since when", async () => {
    tellTime();
    const { url } = await startRelay();
    const { presence, page } = openTab(url, "alice");
    page.signal("hidden");
    await elapse(44_999, 500);
    expect(presence.status.auto).toBe("online");
    const start = presence.lobby.self?.sessions[0]?.since ?? 0;
    await elapse(1);
    expect(presence.status.auto).toBe("away");
    expect(presence.lobby.self?.sessions[0]?.since).toBe(start + 45_000);
  });

  it("without a page it is online for ever", async () => {
    tellTime();
    const { url } = await startRelay();
    const presence = ownClient(url, "alice");
    await elapse(600_000, 5_000);
    expect(presence.status).toEqual({ auto: "online", manual: null });
  });
});

/** A session of a page of its own, ended with the test. */
function ownSession(id: string, local = memory()): OwnSession {
  const own = createSession({
    user: { id },
    device: "desktop",
    policy: defaultActivityPolicy,
    page: testPage(),
    tab: memory(),
    local,
  });
  onTestFinished(() => own.stop());
  return own;
}

describe("the status a user chooses", () => {
  /** Alice at her desk and on her phone, and Bob. */
  async function desk() {
    const { url, port } = await startRelay({ ...quick, leaveGrace: 2_000 });
    const proxy = await tcpProxy(port);
    const desktop = openTab(url, "alice", { timing });
    const phone = openTab(proxy.url, "alice", { timing, device: "mobile" });
    const bob = ownClient(url, "bob");
    await until("Bob sees both", () => bob.lobby.get("alice")?.sessions.length === 2);
    const seen = (): string | undefined => bob.lobby.get("alice")?.status;
    return { url, proxy, desktop, phone, bob, seen, log: statusesOf("alice", bob.lobby) };
  }

  const manual = ({ status }: Presence): string | null => status.manual;

  it.each(["online", "offline", "", undefined, { status: "dnd" }])("[STATUS-8] cannot be %j", async (status) => {
    const { url } = await startRelay(quick);
    const { presence } = openTab(url, "alice");
    presence.setStatus("busy");
    expect(() => presence.setStatus(status as "dnd")).toThrow(RangeError);
    expect(presence.status.manual).toBe("busy");
  });

  it("[STATUS-4] reaches all sessions, those that come later too, and is cleared from any", async () => {
    const { url, desktop, phone, seen, log } = await desk();
    desktop.presence.setStatus("dnd");
    expect(desktop.presence.status).toEqual({ auto: "online", manual: "dnd" });
    await until("it is on the phone", () => manual(phone.presence) === "dnd");
    await until("Bob sees it", () => seen() === "dnd");
    const tablet = openTab(url, "alice", { device: "tablet" });
    await until("it is on the tablet", () => manual(tablet.presence) === "dnd");
    phone.presence.setStatus(null);
    await until("all are free", () => [desktop, phone, tablet].every(({ presence }) => manual(presence) === null));
    await until("Bob sees it", () => seen() === "online");
    expect(log).toEqual(["dnd", "online"]);
  });

  it("[STATUS-4] outlives a reload, from the first moment", async () => {
    const { url } = await startRelay(quick);
    const tab = openTab(url, "alice");
    tab.presence.setStatus("busy");
    const before = tab.presence.session;
    tab.presence.destroy();
    const bob = ownClient(url, "bob");
    await until("Bob is there", () => bob.lobby.synced);
    const log = statusesOf("alice", bob.lobby);
    const seen: unknown[] = [];
    bob.lobby.on("join", ({ userId, status }) => seen.push([userId, status]));
    const { presence } = tab.reload();
    expect([presence.session, presence.status]).toEqual([before, { auto: "online", manual: "busy" }]);
    await until("Bob sees her", () => log.length > 0);
    expect(seen).toEqual([["alice", "busy"]]);
    // another user of the same browser has no part in it
    expect(openTab(url, "carol", { userStorage: memory() }).presence.status.manual).toBeNull();
    presence.setStatus(null);
    expect(tab.reload().presence.status.manual).toBeNull();
    await until("Bob sees that too", () => bob.lobby.get("alice")?.status === "online");
    expect(log).toEqual(["join", "online"]);
  });

  it("[STATUS-4] [TOKEN-5] is that of whom the relay knows the user as, not of whom the page took them for", () => {
    const local = memory();
    const session = (): OwnSession => ownSession("somebody", local);
    const alice = session();
    alice.bind({ id: "alice" });
    alice.choose("invisible");
    const again = session();
    expect(again.status.manual).toBeNull();
    again.bind({ id: "alice" });
    expect(again.status.manual).toBe("invisible");
    // what is chosen before the relay has spoken is hers
    const early = session();
    early.choose("busy");
    early.bind({ id: "alice" });
    expect(early.status.manual).toBe("busy");
    const bob = session();
    bob.bind({ id: "bob" });
    expect(bob.status.manual).toBeNull();
    expect(JSON.parse(local.get("copresence:status:alice")!)).toMatchObject({ status: "busy" });
  });

  it("[AUTH-11] is the application's word again for what the relay knows no more", () => {
    const session = ownSession("alice", memory());
    session.setUser({ name: "Alice", color: "#222222" });
    session.bind({ id: "alice", name: "Alice of token one", color: "#111111" });
    expect(session.user).toMatchObject({ name: "Alice of token one", color: "#111111" });
    // said meanwhile, and not seen while the relay knows better
    session.setUser({ color: "#333333", avatar: "a.png" });
    expect(session.user).toMatchObject({ name: "Alice of token one", color: "#111111", avatar: "a.png" });
    session.bind({ id: "alice", name: "Alice of token two" });
    expect(session.user).toEqual({ id: "alice", name: "Alice of token two", color: "#333333", avatar: "a.png" });
    session.bind({ id: "alice" });
    expect(session.user).toEqual({ id: "alice", name: "Alice", color: "#333333", avatar: "a.png" });
  });

  it("[SYNC-4] that was kept from ahead of the relay's time counts as made now, and a later one of the user's wins", () => {
    tellTime();
    const local = memory();
    const relayNow = Date.now();
    local.set("copresence:status:alice", JSON.stringify({ status: "busy", at: relayNow + 365 * 86_400_000 }));
    const session = ownSession("alice", local);
    expect(session.status.manual).toBe("busy");
    session.setTime(relayNow);
    expect(session.announce({}).copresence.manual).toEqual({ status: "busy", at: relayNow });
    session.adopt({ status: "away", at: relayNow + 1 });
    expect(session.status.manual).toBe("away");
    // a device that is years behind takes what was chosen at the relay's time for what it is
    vi.setSystemTime(relayNow - 6 * 365 * 86_400_000);
    const behind = ownSession("alice", local);
    expect(behind.status.manual).toBe("away");
    behind.setTime(relayNow + 10);
    expect(behind.announce({}).copresence.manual).toEqual({ status: "away", at: relayNow + 1 });
    behind.choose(null);
    expect(behind.announce({}).copresence.manual).toEqual({ status: null, at: relayNow + 10 });
  });

  it("[SYNC-3] [TIME-5] is dated anew once the relay has said what time it is, and not for what the network takes", () => {
    tellTime();
    const relayNow = Date.now();
    vi.setSystemTime(relayNow + 3 * 86_400_000);
    const session = ownSession("alice");
    session.choose("dnd");
    vi.advanceTimersByTime(1_000);
    session.setTime(relayNow + 1_000);
    const said = session.announce({});
    expect(said.copresence).toMatchObject({ since: relayNow, manual: { status: "dnd", at: relayNow } });
    let changes = 0;
    session.on("change", () => changes++);
    session.setTime(relayNow + 1_700);
    expect([session.announce({}), changes]).toEqual([said, 0]);
  });

  it("[SYNC-5] and the activity are what they were, though the device's clock is set by an hour", () => {
    for (const jump of [3_600_000, -3_600_000]) {
      tellTime();
      const session = ownSession("alice");
      session.setTime(Date.now());
      const said = session.announce({});
      vi.setSystemTime(Date.now() + jump);
      vi.advanceTimersByTime(299_000);
      expect([session.status.auto, session.announce({})]).toEqual(["online", said]);
      vi.advanceTimersByTime(1_000);
      expect(session.status.auto).toBe("away");
      expect(session.announce({}).copresence.since).toBe(said.copresence.since + 300_000);
      session.stop();
    }
  });

  it("[STATUS-2] once cleared stays so when a session returns that knows the old one", async () => {
    const { proxy, desktop, phone, seen, log } = await desk();
    desktop.presence.setStatus("away");
    await until("it is on the phone", () => manual(phone.presence) === "away");
    await until("Bob sees it", () => seen() === "away");
    proxy.cut();
    await until("the phone is cut off", () => phone.presence.lobby.status === "stale");
    desktop.presence.setStatus(null);
    await until("Bob sees it", () => seen() === "online");
    proxy.restore();
    await until("the phone hears of it", () => manual(phone.presence) === null);
    await until("it is back", () => phone.presence.lobby.status === "live");
    expect(log).toEqual(["away", "online"]);
  });

  it("[STATUS-3] is later than what its author has seen, though it is dated an hour ahead", async () => {
    const { url } = await startRelay(quick);
    const fast = openTab(url, "alice");
    const later = Date.now() + 3_600_000;
    fast.presence.destroy();
    const ahead = memory();
    ahead.set("copresence:status:alice", JSON.stringify({ status: "dnd", at: later }));
    const desktop = openTab(url, "alice", { userStorage: ahead });
    const phone = openTab(url, "alice");
    const bob = ownClient(url, "bob");
    await until("it is on the phone", () => manual(phone.presence) === "dnd");
    phone.presence.setStatus("busy");
    await until("it is at the desk", () => manual(desktop.presence) === "busy");
    await until("Bob sees it", () => bob.lobby.get("alice")?.status === "busy");
    phone.presence.setStatus(null);
    await until("the desk is free too", () => manual(desktop.presence) === null);
    await until("Bob sees it", () => bob.lobby.get("alice")?.status === "online");
    // of two sessions, both have the same choice; and none is dated an hour ahead any more
    const choices = () => bob.lobby.get("alice")?.sessions.map((session) => session.manual) ?? [];
    await until(
      "both know of it",
      () => choices().length === 2 && new Set(choices().map((each) => each?.at)).size === 1,
    );
    expect(choices()[0]).toEqual({ status: null, at: expect.toSatisfy((at: number) => at < later - 3_000_000) });
  });

  it("[STATUS-3] is not undone by an older one that comes late", () => {
    const own = ownSession("alice");
    own.choose("dnd");
    own.adopt({ status: "busy", at: 1 });
    expect(own.status.manual).toBe("dnd");
    own.adopt({ status: "busy", at: Date.now() + 1_000 });
    expect(own.status.manual).toBe("busy");
  });

  it("[STATUS-6] invisible is gone for others, and present to oneself", async () => {
    const { url } = await startRelay(quick);
    const alice = ownClient(url, "alice");
    const bob = ownClient(url, "bob");
    const [hers, his] = [alice.join("doc").roster, bob.join("doc").roster];
    await until("they see each other", () =>
      [hers, his, alice.lobby, bob.lobby].every(({ users }) => users.length === 2),
    );
    const own = [hers, alice.lobby].map((roster) => statusesOf("alice", roster));
    const others = [his, bob.lobby].map((roster) => statusesOf("alice", roster));
    alice.setStatus("invisible");
    for (const { self, users } of [hers, alice.lobby]) {
      expect(self).toMatchObject({ id: "alice", status: "offline", manual: "invisible", self: true });
      expect(users).toContain(self);
    }
    await until("Bob sees her leave", () => others.every((log) => log.length === 1));
    alice.setStatus(null);
    await until("Bob sees her come", () => others.every((log) => log.length === 2));
    expect(others).toEqual([
      ["leave", "join"],
      ["leave", "join"],
    ]);
    expect(own).toEqual([
      ["offline", "online"],
      ["offline", "online"],
    ]);
  });

  it.for(["", "{", "null", '{"status":"asleep","at":1}', '{"status":"dnd"}', '{"status":"dnd","at":-1}'])(
    "is none when what is stored is %j",
    async (stored) => {
      const { url } = await startRelay(quick);
      const userStorage = memory();
      userStorage.set("copresence:status:alice", stored);
      expect(openTab(url, "alice", { userStorage }).presence.status.manual).toBeNull();
    },
  );

  it("is told to those who subscribed, and is the same object until it changes", async () => {
    const { url } = await startRelay(quick);
    const alice = ownClient(url, "alice");
    let calls = 0;
    const undo = alice.subscribe(() => calls++);
    const { status } = alice;
    alice.setUser({ name: "Al" });
    expect([alice.status, calls]).toEqual([status, 1]);
    expect(alice.status).toBe(status);
    alice.setStatus("busy");
    expect([alice.status.manual, calls]).toEqual(["busy", 2]);
    undo();
    alice.setStatus(null);
    expect(calls).toBe(2);
  });
});

describe("the session id", () => {
  it("belongs to the tab: it stays through a reload, and no two tabs have the same", async () => {
    const { url } = await startRelay(quick);
    const [tab, other] = [openTab(url, "alice"), openTab(url, "alice")];
    expect(tab.presence.session).toMatch(/^s_[0-9a-f]{32}$/);
    expect(other.presence.session).not.toBe(tab.presence.session);
    tab.end("unloaded");
    expect(tab.reload().presence.session).toBe(tab.presence.session);
  });

  it.for([
    ["in the lobby", []],
    ["in a room too", ["doc"]],
    ["in several rooms", ["doc", "x", "y"]],
  ] as const)("[OWN-5] is taken anew by the original when its tab is duplicated %s", async ([, rooms]) => {
    const { url } = await startRelay({ ...quick, leaveGrace: 200 });
    const bob = ownClient(url, "bob");
    const original = openTab(url, "alice");
    for (const room of rooms) original.presence.join(room);
    const { session } = original.presence;
    await until("Bob sees her", () => bob.lobby.get("alice")?.rooms.length === rooms.length);
    const watched = bob.join("doc");
    await until("Bob is in", () => watched.roster.status === "live");
    const logs = [watched.roster, bob.lobby].map((roster) => statusesOf("alice", roster));

    // the browser copies sessionStorage: the same id in a storage of its own
    const tabStorage = memory();
    tabStorage.set("copresence:session", session);
    const copy = openTab(url, "alice", { tabStorage });
    for (const room of rooms) copy.presence.join(room);
    const sessions = (): Set<string> => new Set(bob.lobby.get("alice")?.sessions.map(({ id }) => id));
    await until("Bob sees two", () => sessions().size === 2);
    const ids = new Set([original.presence.session, copy.presence.session]);
    expect(ids).toContain(session);
    expect(sessions()).toEqual(ids);
    await until("each is in all rooms", () =>
      bob.lobby.get("alice")!.sessions.every((each) => each.rooms.length === rooms.length),
    );
    // it stays so, and nobody came or went
    await pause(300);
    expect(new Set([original.presence.session, copy.presence.session])).toEqual(ids);
    expect(sessions()).toEqual(ids);
    for (const log of logs) expect(log).toEqual([]);
    expect(watched.awareness.states.size).toBe(rooms.length === 0 ? 1 : 3);
    // a reload of either is that one again
    original.end("unloaded");
    expect(original.reload().presence.session).toBe(original.presence.session);
    copy.presence.destroy();
    await until("one is left", () => sessions().size === 1);
    expect(sessions()).toEqual(new Set([original.presence.session]));
  });
});
