import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocketServer } from "ws";
import * as Y from "yjs";
import type { Presence, Room, Roster } from "../../../src/client/index.ts";
import {
  EMPTY_UPDATE,
  type Fields,
  NO_STATES_FRAME,
  controlFrame,
  decodeEntries,
  decodeFrame,
  encodeStates,
  fieldsOf,
  readPatch,
  reader,
  syncStep2Frame,
  text,
  valuesOf,
} from "../../../src/wire/index.ts";
import { tcpProxy } from "../../proxy.ts";
import { ownClient, pause, startRelay, until } from "../../support.ts";
import { openTab } from "../../tab.ts";
import { type ChannelSocket, type LinkListener, onChannels } from "../channels.ts";

const quick = { tick: 0, lobbyTick: 0, leaveGrace: 300 };
/** Long enough that a busy machine does not take it for an absence. */
const patient = { ...quick, leaveGrace: 1_200 };
const timing = { backoffMs: 20, maxBackoffMs: 100 };

/** What happens in a roster, other than updates. */
function record(roster: Roster): string[] {
  const log: string[] = [];
  roster.on("join", ({ userId }) => log.push(`join ${userId}`));
  roster.on("leave", ({ userId }) => log.push(`leave ${userId}`));
  roster.on("status", (status) => log.push(status));
  return log;
}

const ids = (roster: Roster): string[] => roster.users.map(({ id }) => id);

/** A relay in a process of its own, which can be killed. */
async function relayProcess(
  port = 0,
): Promise<{ readonly child: ChildProcess; readonly url: string; readonly port: number }> {
  const cli = fileURLToPath(new URL("../../../dist/cli.js", import.meta.url));
  const flags = ["--port", `${port}`, "--leave-grace", `${patient.leaveGrace}`, "--tick", "0", "--lobby-tick", "0"];
  const child = spawn(process.execPath, [cli, "--host", "127.0.0.1", ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const url = /ws:\S+/.exec(line.toString())?.[0] ?? "";
  return { child, url, port: Number(new URL(url).port) };
}

/** Several people in one room, each with all others in sight, and what happens to them from then on. */
async function crowd(url: string, names: readonly string[]) {
  const people = names.map((id) => {
    const presence = ownClient(url, id, { timing });
    return { id, presence, room: presence.join("doc") };
  });
  await until("all see all", () =>
    people.every(({ presence, room }) => {
      const { lobby } = presence;
      return ids(room.roster).length === names.length && lobby.usersIn("doc").length === names.length;
    }),
  );
  return people.map((person) => ({
    ...person,
    rosters: [person.room.roster, person.presence.lobby] as const,
    logs: [record(person.room.roster), record(person.presence.lobby)] as const,
  }));
}

describe("an outage of the relay", () => {
  const ends = [
    [
      "stopped",
      async () => {
        const { relay, url, port } = await startRelay(patient);
        return { url, end: () => relay.close(), again: () => startRelay(patient, port) };
      },
    ],
    [
      "killed",
      async () => {
        const { child, url, port } = await relayProcess();
        const end = async (): Promise<void> => {
          child.kill("SIGKILL");
          await once(child, "exit");
        };
        return { url, end, again: () => relayProcess(port) };
      },
    ],
  ] as const;

  it.for(ends)(
    "[ROSTER-5] [ROSTER-6] is no leave and no join when the relay is %s and started again",
    async ([, start]) => {
      const { url, end, again } = await start();
      const people = await crowd(url, ["alice", "bob", "carol", "dave"]);
      const [alice, bob, , dave] = people as [(typeof people)[0], (typeof people)[0], unknown, (typeof people)[0]];
      const back = people.filter((person) => person !== dave);

      await end();
      await until("all are stale", () =>
        people.every(({ rosters }) => rosters.every((roster) => roster.status === "stale")),
      );
      dave.presence.destroy();
      bob.room.setMeta({ line: 2 });
      alice.room.doc.getMap().set("offline", "edit");
      for (const { rosters } of back)
        for (const roster of rosters) expect(ids(roster)).toEqual(["alice", "bob", "carol", "dave"]);

      await again();
      await until("all who remain are live", () =>
        back.every(({ rosters }) => rosters.every((roster) => roster.status === "live")),
      );
      await until("Dave is given up", () =>
        back.every(({ rosters }) => rosters.every((roster) => roster.users.length === 3)),
      );
      await until("what changed meanwhile arrives", () =>
        back.every(
          ({ room }) => room.doc.getMap().get("offline") === "edit" && room.roster.get("bob")?.meta["line"] === 2,
        ),
      );
      for (const { logs } of back) for (const log of logs) expect(log).toEqual(["stale", "live", "leave dave"]);
      for (const { presence } of back)
        expect(presence.lobby.usersIn("doc").map(({ id }) => id)).toEqual(["alice", "bob", "carol"]);
    },
  );

  it("[ROSTER-5] [ROSTER-6] keeps everyone while a roster is stale, also when the connection came back for a moment", async () => {
    const { relay, url, port } = await startRelay(quick);
    const [alice, bob] = (await crowd(url, ["alice", "bob"])) as [Person, Person];
    await relay.close();
    await until("Alice is cut off", () => alice.rosters.every((roster) => roster.status === "stale"));
    bob.presence.destroy();
    const second = await startRelay(quick, port);
    await until("Alice is back", () => alice.rosters.every((roster) => roster.status === "live"));
    await second.relay.close();
    await until("Alice is cut off again", () => alice.rosters.every((roster) => roster.status === "stale"));
    // longer than the grace and the back-off: while nothing is known, nobody is given up
    await pause(quick.leaveGrace + timing.maxBackoffMs + 100);
    for (const roster of alice.rosters) expect(ids(roster)).toEqual(["alice", "bob"]);
    await startRelay(quick, port);
    await until("Alice is back for good", () => alice.rosters.every((roster) => roster.status === "live"));
    await until("Bob is given up", () => alice.rosters.every((roster) => roster.users.length === 1));
    for (const log of alice.logs) expect(log).toEqual(["stale", "live", "stale", "live", "leave bob"]);
  });

  it("[OWN-4] shows nobody twice who reloaded meanwhile", async () => {
    const { relay, url, port } = await startRelay(patient);
    const alice = ownClient(url, "alice", { timing });
    const room = alice.join("doc");
    const tab = openTab(url, "bob", { timing });
    tab.presence.join("doc");
    await until("Alice sees Bob", () => ids(room.roster).includes("bob"));
    const log = record(room.roster);
    await relay.close();
    tab.end("unloaded");
    await startRelay(patient, port);
    await until("Alice is back", () => room.roster.status === "live");
    const again = tab.reload().presence.join("doc");
    await until("Bob is back", () => room.awareness.states.has(again.awareness.clientID));
    expect(room.awareness.states.size).toBe(2);
    expect(room.roster.get("bob")?.sessions).toMatchObject([{ clientId: again.awareness.clientID }]);
    expect(log).toEqual(["stale", "live"]);
  });
});

type Person = Awaited<ReturnType<typeof crowd>>[0];

describe("a connection that drops", () => {
  /** Alice looks on while things happen to Bob; `states` is the most states of Bob that she ever had at once. */
  async function watch(presence: Presence, room: Room) {
    const { roster, awareness } = room;
    await until("Alice sees Bob", () => roster.get("bob") !== undefined && presence.lobby.usersIn("doc").length === 2);
    const logs = [record(roster), record(presence.lobby)] as const;
    const reconnecting: (boolean | undefined)[] = [];
    let states = 0;
    roster.on("update", ({ user, previous }) => {
      if (user.reconnecting !== previous.reconnecting) reconnecting.push(user.reconnecting);
    });
    awareness.on("change", () => {
      const bobs = [...awareness.states.values()].filter((state) => (state["user"] as { id?: string }).id === "bob");
      states = Math.max(states, bobs.length);
    });
    return { logs, reconnecting, states: () => states };
  }

  it("[LIVE-2] is neither a leave nor a join when the outage is shorter than the grace", async () => {
    const { url, relay, port } = await startRelay(patient);
    const proxy = await tcpProxy(port);
    const alice = ownClient(url, "alice");
    const room = alice.join("doc");
    const bob = ownClient(proxy.url, "bob", { timing });
    const his = bob.join("doc");
    const seen = await watch(alice, room);
    const relayLog: string[] = [];
    relay.on("event", ({ type, roomId }) => type !== "update" && relayLog.push(`${type} ${roomId}`));

    proxy.cut();
    await until("Bob is seen to be reconnecting", () => seen.reconnecting.length === 1);
    await until("also in the lobby", () => alice.lobby.get("bob")?.reconnecting === true);
    expect(his.roster.status).toBe("stale");
    his.setMeta({ line: 3 });
    proxy.restore();
    await until("Bob is back", () => his.roster.status === "live" && room.roster.get("bob")?.meta["line"] === 3);
    await until("also in the lobby", () => alice.lobby.get("bob")?.reconnecting === false);

    expect(seen.reconnecting).toEqual([true, false]);
    expect(seen.logs).toEqual([[], []]);
    expect(relayLog).toEqual([]);
    expect(seen.states()).toBe(1);
  });

  it.for(["killed", "unloaded"] as const)(
    "[LIVE-2] [OWN-4] is neither when the page is %s and loaded again",
    async (how) => {
      const { url, relay } = await startRelay(patient);
      const alice = ownClient(url, "alice");
      const room = alice.join("doc");
      const tab = openTab(url, "bob");
      const before = tab.presence.join("doc");
      const seen = await watch(alice, room);
      const relayLog: string[] = [];
      relay.on("event", ({ type, roomId }) => type !== "update" && relayLog.push(`${type} ${roomId}`));

      tab.end(how);
      await until("Bob is seen to be reconnecting", () => room.roster.get("bob")?.reconnecting === true);
      const reloaded = tab.reload().presence;
      expect(reloaded.session).toBe(tab.presence.session);
      const after = reloaded.join("doc");
      await until("Bob is back", () => room.roster.get("bob")?.reconnecting === false);
      await until("also in the lobby", () => alice.lobby.get("bob")?.reconnecting === false);

      expect(after.awareness.clientID).not.toBe(before.awareness.clientID);
      expect(seen.logs).toEqual([[], []]);
      expect(relayLog).toEqual([]);
      expect(seen.reconnecting).toEqual([true, false]);
      expect(seen.states()).toBe(1);
      expect(new Set(room.awareness.states.keys())).toEqual(
        new Set([room.awareness.clientID, after.awareness.clientID]),
      );
    },
  );

  it("[LIVE-2] is no lasting mark for an observer that was away when it came back", async () => {
    const { url, relay, port } = await startRelay({ ...quick, leaveGrace: 3_000 });
    const [hers, his] = [await tcpProxy(port), await tcpProxy(port)];
    const alice = ownClient(hers.url, "alice", { timing });
    const room = alice.join("doc");
    ownClient(his.url, "bob", { timing }).join("doc");
    const carol = ownClient(url, "carol").join("doc");
    await until("Alice sees Bob", () => room.roster.users.length === 3);
    his.cut();
    await until("Bob is seen to be reconnecting", () => room.roster.get("bob")?.reconnecting === true);
    hers.cut();
    await until("Alice is cut off", () => room.roster.status === "stale");
    his.restore();
    await until("Bob is back", () => carol.roster.get("bob")?.reconnecting === false);
    hers.restore();
    await until("Alice is back", () => room.roster.status === "live");
    await until("and sees Bob as he is", () => room.roster.get("bob")?.reconnecting === false, 1_000);
    expect(relay.room("doc")?.users.length).toBe(3);
  });

  it("comes back after it was given up: one leave, one join, the same client id", async () => {
    const { url, port } = await startRelay({ ...quick, leaveGrace: 50 });
    const proxy = await tcpProxy(port);
    const alice = ownClient(url, "alice");
    const room = alice.join("doc");
    const his = ownClient(proxy.url, "bob", { timing }).join("doc");
    const seen = await watch(alice, room);
    proxy.cut();
    await until("Bob is given up", () => seen.logs.every((log) => log.length === 1));
    expect(room.awareness.states.has(his.awareness.clientID)).toBe(false);
    proxy.restore();
    await until("Bob is back", () => seen.logs.every((log) => log.length === 2));
    for (const log of seen.logs) expect(log).toEqual(["leave bob", "join bob"]);
    expect(room.awareness.states.has(his.awareness.clientID)).toBe(true);
  });
});

describe("a room's provider", () => {
  const limits = { maxStateBytes: 1_000, maxEntries: 10 };
  const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  /** What a relay tells: of each id its state, or null. */
  const states = (...told: readonly (readonly [id: number, state: object | null])[]): Uint8Array =>
    encodeStates((writer) => {
      for (const [id, state] of told) {
        if (state === null) writer.gone(id);
        else writer.whole(id, id, fieldsOf(state));
      }
    }) ?? NO_STATES_FRAME;

  /** Says what no relay of ours would. */
  async function scriptedRelay(channel: LinkListener["channel"], own?: LinkListener["own"]): Promise<string> {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    onTestFinished(() => server.close());
    onChannels(server, { channel, ...(own !== undefined && { own }) });
    await once(server, "listening");
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it("[ROSTER-10] gives up nobody whom a relay does not name, while that relay does not hear the others", async () => {
    const bob = { user: { id: "bob", name: "Bob" } };
    const sockets: ChannelSocket[] = [];
    const url = await scriptedRelay((socket, path) => {
      if (path !== "/doc") return;
      sockets.push(socket);
      socket.send(controlFrame({ kind: "hello", shard: "r", graceMs: 50 }));
      socket.send(sockets.length === 1 ? states([1, bob]) : NO_STATES_FRAME);
      if (sockets.length > 1) socket.send(controlFrame({ kind: "world", partial: true }));
      socket.on("message", (data: Buffer) => {
        const frame = decodeFrame(data);
        if (frame.type === "syncStep1") socket.send(syncStep2Frame(EMPTY_UPDATE));
        if (frame.type === "control" && frame.control.kind === "ping") socket.send(controlFrame({ kind: "pong" }));
      });
    });
    const { roster } = ownClient(url, "alice", { timing }).join("doc");
    await until("Alice sees Bob", () => roster.get("bob") !== undefined);
    const log = record(roster);
    sockets[0]?.terminate();
    await until("Alice is back", () => sockets.length === 2 && roster.get("bob")?.reconnecting === true);
    await pause(50 + 2 * timing.maxBackoffMs);
    expect(roster.get("bob")?.reconnecting).toBe(true);
    sockets[1]?.send(controlFrame({ kind: "world", partial: false }));
    await until("Bob is given up", () => roster.get("bob") === undefined);
    expect(log.filter((what) => what.startsWith("leave"))).toEqual(["leave bob"]);
  });

  it("says what becomes of its connection, as y-websocket's does", async () => {
    const { url, relay, port } = await startRelay(quick);
    const { provider } = ownClient(url, "alice", { timing }).join("doc");
    const log: unknown[] = [];
    provider.on("status", ({ status }) => log.push(status, provider.wsconnected));
    provider.on("synced", (synced) => log.push({ synced }, provider.synced));
    provider.on("sync", (sync) => log.push({ sync }));
    const up = ["connected", true, { synced: true }, true, { sync: true }];
    const down = [{ synced: false }, false, { sync: false }, "disconnected", false];

    await until("it is synced", () => log.length >= up.length);
    expect(log.splice(0)).toEqual(up);
    await relay.close();
    await until("it is down", () => log.length >= down.length);
    await pause(150);
    expect(log.splice(0, down.length)).toEqual(down);
    await startRelay(quick, port);
    await until("it is synced again", () => provider.synced);
    const attempts = log.splice(0, log.length - up.length);
    expect(attempts.length).toBeGreaterThan(0);
    expect(new Set(attempts)).toEqual(new Set(["connecting", false]));
    expect(log.splice(0)).toEqual(up);

    provider.disconnect();
    expect(log.splice(0)).toEqual(down);
    provider.connect();
    expect(log.splice(0)).toEqual(["connecting", false]);
    await until("it is synced once more", () => log.length >= up.length);
    expect(log).toEqual(up);
  });

  it("[LIVE-1] leaves at once on `disconnect`, and joins again on `connect`", async () => {
    const { url } = await startRelay({ ...quick, leaveGrace: 60_000 });
    const room = ownClient(url, "alice").join("doc");
    const his = ownClient(url, "bob").join("doc");
    await until("they see each other", () => his.roster.users.length === 2 && room.roster.users.length === 2);
    const log = record(room.roster);
    const noticed = record(his.roster);
    his.provider.disconnect();
    await until("Bob left", () => log.length === 1);
    await pause(50);
    // for him, it is he who is away
    expect([his.provider.wsconnected, his.roster.status, his.awareness.states.size]).toEqual([false, "stale", 2]);
    his.provider.connect();
    await until("Bob is back", () => log.length === 2 && his.roster.status === "live");
    expect(log).toEqual(["leave bob", "join bob"]);
    expect(noticed).toEqual(["stale", "live"]);
  });

  it("shares the document, and brings edits made offline when it is back", async () => {
    const { url, relay, port } = await startRelay(quick);
    const docs = [new Y.Doc(), new Y.Doc()] as const;
    const rooms = docs.map((doc, i) => ownClient(url, `user${i}`, { timing }).join("doc", { doc }));
    docs[0].getArray().push(["before"]);
    await until("it is shared", () => docs[1].getArray().length === 1);
    await relay.close();
    await until("both are cut off", () => rooms.every(({ provider }) => !provider.wsconnected));
    docs[0].getArray().push(["a"]);
    docs[1].getArray().push(["b"]);
    // the relay kept nothing: it has it all from its clients
    await startRelay(quick, port);
    await until("both have all", () => docs.every((doc) => doc.getArray().length === 3));
    expect(docs[0].getArray().toJSON()).toEqual(docs[1].getArray().toJSON());
    expect(new Set(docs[0].getArray())).toEqual(new Set(["a", "b", "before"]));
    docs[1].getArray().push(["after"]);
    await until("and goes on", () => docs[0].getArray().length === 4);
  });

  it("tells of others as y-protocols does: an update is what was said, a change what is different", async () => {
    const state = { user: { id: "bob" } };
    const url = await scriptedRelay((socket) => {
      socket.send(states([1, state], [2, state]));
      socket.send(states([1, state], [2, {}]));
      socket.send(states([1, null], [3, null]));
    });
    const { awareness } = ownClient(url, "alice").join("doc");
    const log: unknown[] = [];
    for (const type of ["change", "update"] as const) {
      awareness.on(type, (changes: object, origin: unknown) => origin !== "local" && log.push([type, changes]));
    }
    await until("all is said", () => log.length === 6);
    const first = { added: [1, 2], updated: [], removed: [] };
    const last = { added: [], updated: [], removed: [1] };
    expect(log).toEqual([
      ["change", first],
      ["update", first],
      ["change", { added: [], updated: [2], removed: [] }],
      ["update", { added: [], updated: [1, 2], removed: [] }],
      ["change", last],
      ["update", last],
    ]);
  });

  it("[LIVE-9] sends its state when there is news or it is asked, and nothing else", async () => {
    const said: unknown[] = [];
    let fields: Fields = new Map();
    let relay: ChannelSocket | undefined;
    const url = await scriptedRelay((socket, path) => {
      if (path !== "/doc") return;
      relay = socket;
      socket.send(controlFrame({ kind: "hello", shard: "r", graceMs: 100 }));
      socket.on("message", (data: Buffer) => {
        const frame = decodeFrame(data);
        if (frame.type === "patch") {
          fields = readPatch(reader(frame.patch), fields);
          said.push([frame.id, frame.clock, valuesOf(fields, ...fields.keys())]);
        }
        if (frame.type !== "awareness") return;
        const [entry] = decodeEntries(frame.payload, limits);
        const value = JSON.parse(text(entry?.state ?? bytes({}))) as object;
        fields = fieldsOf(value);
        said.push([entry?.id, entry?.clock, value]);
      });
    });
    const { awareness } = ownClient(url, "alice", { timing }).join("doc");
    const { clientID: id } = awareness;
    const own = (): unknown => [id, awareness.meta.get(id)?.clock, awareness.getLocalState()];
    const isSaid = async (what: () => unknown): Promise<void> => {
      await until("it is said", () => said.length > 0);
      await pause(20);
      expect(said.splice(0)).toEqual([what()]);
    };
    const renew = (): void => awareness.setLocalState(awareness.getLocalState());

    await isSaid(own);
    renew();
    awareness.setLocalStateField("cursor", 1);
    await isSaid(own);
    renew();
    await pause(20);
    relay?.send(Uint8Array.of(3));
    await isSaid(own);
    // what the relay has of it is no news, but that it is gone
    relay?.send(states([id, {}]));
    renew();
    await pause(20);
    relay?.send(states([id, null]));
    await isSaid(own);
    renew();
    await pause(20);
    relay?.terminate();
    await isSaid(own);
  });

  it("[LIVE-1] [LINK-5] says that it leaves, and closes its channel with 1000", async () => {
    const ends: unknown[] = [];
    const url = await scriptedRelay((socket, name) => {
      let last: Uint8Array = new Uint8Array();
      socket.send(controlFrame({ kind: "hello", shard: "r", graceMs: 100 }));
      socket.on("message", (data: Buffer) => (last = data));
      socket.on("close", (code) => {
        const frame = decodeFrame(last);
        ends.push([name, code, frame.type === "awareness" && decodeEntries(frame.payload, limits)]);
      });
    });
    const room = ownClient(url, "alice").join("doc");
    await until("it is connected", () => room.provider.wsconnected);
    const { clientID: id, meta } = room.awareness;
    const clock = meta.get(id)?.clock;
    room.leave();
    await until("it is closed", () => ends.length === 1);
    expect(ends).toEqual([["/doc", 1000, [{ id, clock, state: null }]]]);
  });

  it("ignores what it cannot read, all of it, and goes on", async () => {
    const user = { user: { id: "bob" } };
    const url = await scriptedRelay((socket) => {
      socket.send(states([1, user]));
      socket.send(states([1, null], [2, user], [3, user]).subarray(0, -1));
      socket.send(Uint8Array.of(7, 1, 2, 3));
      socket.send(states([4, user]));
    });
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    onTestFinished(() => warn.mockRestore());
    const room = ownClient(url, "alice").join("doc");
    await until("all is said", () => room.awareness.states.has(4));
    expect(new Set(room.awareness.states.keys())).toEqual(new Set([room.awareness.clientID, 1, 4]));
    expect(room.roster.get("bob")?.sessions).toHaveLength(2);
    const said = warn.mock.calls.map(([line]) => String(line));
    expect(said).toContain("copresence: ignored a message: truncated or oversized integer");
    expect(said).toContain("copresence: ignored a message: unknown message type 7");
  });
});
