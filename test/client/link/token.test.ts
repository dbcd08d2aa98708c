import { type JWTPayload, SignJWT } from "jose";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket } from "ws";
import { type PresenceEvent, type Roster, createPresence } from "../../../src/client/index.ts";
import { createTokens, renewalInMs } from "../../../src/client/link/token.ts";
import { ownClient, pause, startRelay, until } from "../../support.ts";
import { openTab, tellTime, untilTold } from "../../tab.ts";
import { type Says, doorman } from "../token-relay.ts";

const timing = { backoffMs: 20, maxBackoffMs: 50 };

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

describe("when to renew", () => {
  it.for([
    ["a week", 7 * 24 * HOUR, 6.3 * 24 * HOUR],
    ["an hour", HOUR, 54 * MINUTE],
    ["ten minutes", 10 * MINUTE, 535 * SECOND],
    ["five minutes", 5 * MINUTE, 235 * SECOND],
    ["two minutes", 2 * MINUTE, MINUTE],
    ["ten seconds", 10 * SECOND, 5 * SECOND],
    ["a second", SECOND, SECOND],
    ["nothing", 0, SECOND],
    ["less than nothing", -HOUR, SECOND],
  ] as const)("[TOKEN-2] of %s, with enough left for a hidden page's timers", ([, expiresInMs, renewal]) => {
    expect(renewalInMs(expiresInMs, 0)).toBe(renewal);
  });

  it("[TOKEN-2] at random up to a tenth sooner, and never later than a timer can wait", () => {
    expect(renewalInMs(HOUR, 0.5)).toBe(0.95 * 54 * MINUTE);
    expect(renewalInMs(HOUR, 1)).toBe(0.9 * 54 * MINUTE);
    expect(renewalInMs(1_000 * 24 * HOUR, 0)).toBe(2 ** 31 - 1);
  });

  it("[TOKEN-11] asked again and again of what is left, it does not spin", () => {
    let left = HOUR;
    let renewals = 0;
    for (; left > 0; renewals++) left -= renewalInMs(left, 1);
    expect(renewals).toBeLessThan(25);
  });
});

/** Tokens of a function that answers when told to. */
function tokens() {
  const asked: { resolve(token: string): void; reject(error: unknown): void }[] = [];
  const log: unknown[] = [];
  const source = (): Promise<string> => new Promise((resolve, reject) => asked.push({ resolve, reject }));
  const made = createTokens(source, {
    renewed: (token) => log.push(`renewed ${token}`),
    failed: (error) => log.push(error),
  });
  onTestFinished(() => made.stop());
  const answer = (token: unknown): void => asked.at(-1)?.resolve(token as string);
  const get = (): Promise<string> => made.get() as Promise<string>;
  return { made, asked, log, answer, get };
}

describe("a token function", () => {
  it("[TOKEN-8] is asked once by those who open at the same time, and anew once the relay has seen its answer", async () => {
    const { made, asked, answer, get } = tokens();
    const both = [get(), get()];
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    answer("one");
    expect(await Promise.all(both)).toEqual(["one", "one"]);
    // no relay was there: the next attempt brings the same
    expect(await get()).toBe("one");
    expect(asked).toHaveLength(1);
    made.shown();
    const next = get();
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    answer("two");
    expect(await next).toBe("two");
  });

  it("[TOKEN-8] [TOKEN-9] is asked anew for an answer that is older than 30 s, or takes longer", async () => {
    tellTime();
    const { asked, answer, get } = tokens();
    void get();
    await vi.advanceTimersByTimeAsync(29 * SECOND);
    void get();
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(SECOND + 1);
    const late = get();
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toHaveLength(2);
    answer("two");
    expect(await late).toBe("two");
    // one more than needed: told time goes on from a fraction of a millisecond
    await vi.advanceTimersByTimeAsync(30 * SECOND + 1);
    void get();
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toHaveLength(3);
  });

  it.for(["<!doctype html>", '{"token":"x"}', "two words", undefined, null, 7, {}])(
    "[TOKEN-3] that gives %j gives none",
    async (wrong) => {
      const { asked, answer, get, log } = tokens();
      const token = get();
      await vi.waitFor(() => expect(asked).toHaveLength(1));
      answer(wrong);
      const none = new TypeError("what the token function gave is no token");
      await expect(token).rejects.toEqual(none);
      expect(log).toEqual([none]);
    },
  );

  it("[TOKEN-3] that throws is told of once, however many wait, and asked anew", async () => {
    const error = new Error("signed out");
    const failed = vi.fn<(error: unknown) => void>();
    let calls = 0;
    const made = createTokens(
      () => {
        calls++;
        throw error;
      },
      { renewed() {}, failed },
    );
    for (let i = 1; i <= 2; i++) {
      const both = await Promise.allSettled([made.get(), made.get()]);
      expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
      expect([calls, failed.mock.calls]).toEqual([i, Array.from({ length: i }, () => [error])]);
    }
  });

  it("[TOKEN-10] that fails is asked again after waits that double, up to 30 s, until a relay takes what it gives", async () => {
    tellTime();
    vi.spyOn(Math, "random").mockReturnValue(1);
    onTestFinished(() => void vi.restoreAllMocks());
    const { made, asked, get } = tokens();
    const waits: number[] = [];
    const wait = async (): Promise<number> => {
      const count = asked.length;
      void get().catch(() => {});
      for (let ms = 0; ; ms += 100) {
        await vi.advanceTimersByTimeAsync(ms === 0 ? 0 : 100);
        if (asked.length > count) return ms;
      }
    };
    for (let i = 0; i < 11; i++) {
      waits.push(await wait());
      asked.at(-1)?.reject("offline");
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(waits).toEqual([0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000]);
    // the network is back: who waits asks at once
    made.wake();
    expect(await wait()).toBe(0);
    asked.at(-1)?.reject("offline");
    await vi.advanceTimersByTimeAsync(0);
    expect(await wait()).toBe(100);
    asked.at(-1)?.resolve("a.b.c");
    await vi.advanceTimersByTimeAsync(0);
    made.accepted();
    made.shown();
    expect(await wait()).toBe(0);
  });

  it("[TOKEN-6] that gave what no relay takes is asked again after a second or two", async () => {
    tellTime();
    vi.spyOn(Math, "random").mockReturnValue(1);
    onTestFinished(() => void vi.restoreAllMocks());
    const { made, asked, get } = tokens();
    void get();
    await vi.advanceTimersByTimeAsync(0);
    asked[0]?.resolve("a.b.c");
    await vi.advanceTimersByTimeAsync(10);
    made.shown();
    expect(made.rejected()).toBe(true);
    void get();
    await vi.advanceTimersByTimeAsync(1_599);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toHaveLength(2);
    expect(createTokens("a.b.c", { renewed() {}, failed() {} }).rejected()).toBe(false);
  });

  it("[TOKEN-1] need not be a function, and none is an empty text", () => {
    const handler = { renewed() {}, failed() {} };
    expect(createTokens("a.b.c", handler).get()).toBe("a.b.c");
    expect(createTokens(undefined, handler).get()).toBe("");
  });
});

describe("a renewal", () => {
  /** In told time, with nothing left to chance. */
  function told() {
    tellTime();
    vi.spyOn(Math, "random").mockReturnValue(0);
    onTestFinished(() => void vi.restoreAllMocks());
    return tokens();
  }

  it("[TOKEN-2] is made in time for what the relay said last", async () => {
    const { made, asked, answer, log } = told();
    made.expires(2 * HOUR);
    made.expires(HOUR);
    await vi.advanceTimersByTimeAsync(54 * MINUTE - 1);
    expect(asked).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toHaveLength(1);
    answer("two");
    await vi.advanceTimersByTimeAsync(0);
    expect(log).toEqual(["renewed two"]);
    // the relay says anew for how long; before that nothing is planned
    expect(vi.getTimerCount()).toBe(0);
    made.expires(HOUR);
    await vi.advanceTimersByTimeAsync(54 * MINUTE);
    expect(asked).toHaveLength(2);
  });

  it("[TOKEN-2] is not owed to a token that does not expire, nor possible for one that is no function's", () => {
    const { made } = told();
    made.expires(Infinity);
    const fixed = createTokens("a.b.c", { renewed() {}, failed() {} });
    fixed.expires(HOUR);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("[TOKEN-2] that a throttled page missed is made when it returns, and none that is not due", async () => {
    const { made, asked } = told();
    made.expires(HOUR);
    made.wake();
    await Promise.resolve();
    expect(asked).toHaveLength(0);
    vi.setSystemTime(Date.now() + 55 * MINUTE);
    made.wake();
    made.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toHaveLength(1);
  });

  it("[TOKEN-11] that fails is tried again while there is time, and then left to who connects", async () => {
    const { made, asked, log } = told();
    made.expires(2 * MINUTE);
    const at: number[] = [];
    const start = Date.now();
    for (let ms = 0; ms < 5 * MINUTE; ms += 250) {
      await vi.advanceTimersByTimeAsync(250);
      if (asked.length === at.length) continue;
      at.push(Math.round((Date.now() - start) / SECOND));
      asked.at(-1)?.reject("offline");
    }
    // at last the waits between two failures, which double, are longer than what is left
    expect(at).toEqual([60, 90, 105, 113, 116, 118, 120]);
    expect(log).toEqual(at.map(() => "offline"));
    expect(vi.getTimerCount()).toBe(0);
  });

  it("[TOKEN-11] that yields an empty text, which is no token, leaves the connections what they have", async () => {
    const { made, asked, answer, log } = told();
    made.expires(2 * MINUTE);
    await vi.advanceTimersByTimeAsync(MINUTE);
    answer("");
    await vi.advanceTimersByTimeAsync(30 * SECOND);
    expect([asked.length, log]).toEqual([2, []]);
    answer("two");
    await vi.advanceTimersByTimeAsync(0);
    expect(log).toEqual(["renewed two"]);
  });

  it("[TOKEN-3] that is waited for is asked at once when the network is back, and all who waited have its answer", async () => {
    const { made, asked, answer, get } = told();
    const first = get();
    await vi.advanceTimersByTimeAsync(0);
    asked.at(-1)?.reject("offline");
    await expect(first).rejects.toBe("offline");
    const waited: string[] = [];
    void get().then((token) => waited.push(token));
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toHaveLength(1);
    made.wake();
    // who connects after the return shares the question
    void get().then((token) => waited.push(token));
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toHaveLength(2);
    answer("two");
    await vi.advanceTimersByTimeAsync(0);
    expect(waited).toEqual(["two", "two"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("[TOKEN-3] that fails again after the network is back is waited for again", async () => {
    const { made, asked, get } = told();
    for (let round = 1; round <= 2; round++) {
      const failing = get();
      await vi.advanceTimersByTimeAsync(0);
      made.wake();
      await vi.advanceTimersByTimeAsync(0);
      expect(asked).toHaveLength(round);
      asked.at(-1)?.reject("offline");
      await expect(failing).rejects.toBe("offline");
    }
    void get().catch(() => {});
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(100);
    expect(asked).toHaveLength(3);
  });

  it("[RUN-3] that is waited for is not asked any more once the client is destroyed", async () => {
    const { made, asked, log, get } = told();
    const first = get();
    await vi.advanceTimersByTimeAsync(0);
    asked.at(-1)?.reject("offline");
    await expect(first).rejects.toBe("offline");
    void get();
    made.stop();
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect([asked.length, log, vi.getTimerCount()]).toEqual([1, ["offline"], 0]);
  });

  it("[RUN-3] leaves no timer behind, though an answer is still to come", async () => {
    const { made, asked, log } = told();
    made.expires(2 * MINUTE);
    await vi.advanceTimersByTimeAsync(MINUTE);
    made.expires(2 * MINUTE);
    made.stop();
    asked.at(-1)?.reject("too late");
    await vi.advanceTimersByTimeAsync(0);
    expect([vi.getTimerCount(), log]).toEqual([0, []]);
  });
});

describe("a client with a token", () => {
  it("[TOKEN-1] offers it behind its subprotocol, and keeps it out of the address", async () => {
    const door = await doorman({});
    ownClient(door.url, "alice", { token: "a.b.c" }).join("doc");
    ownClient(door.url, "bob", { token: () => "d.e.f" }).join("doc");
    ownClient(door.url, "carol", { token: "" }).join("doc");
    await until("all are dialed", () => door.dialed.length === 3);
    expect(new Set(door.dialed.map(({ protocols, url }) => `${protocols.join(" ")} ${url}`))).toEqual(
      new Set([
        "copresence.v3 copresence.auth.a.b.c /@link",
        "copresence.v3 copresence.auth.d.e.f /@link",
        "copresence.v3 /@link",
      ]),
    );
  });

  it("[LIVE-20] is told of a bad address at once, though its token is still to come", () => {
    const token = vi.fn<() => string>(() => "a.b.c");
    const options = { user: { id: "alice" }, WebSocket, token };
    expect(() => createPresence("nowhere", options)).toThrow(TypeError);
    expect(token).not.toHaveBeenCalled();
  });

  it("[TOKEN-8] asks once for the lobby and all rooms, and anew for each connect after", async () => {
    const door = await doorman({});
    let asked = 0;
    const alice = ownClient(door.url, "alice", { token: () => `t${++asked}`, timing });
    alice.join("a");
    alice.join("b");
    const offers = (): (string | undefined)[] => door.dialed.map(({ protocols }) => protocols[1]);
    await until("it is dialed", () => door.dialed.length === 1);
    expect(offers()).toEqual(["copresence.auth.t1"]);
    door.sockets[0]?.close(1012);
    await until("it is back", () => door.dialed.length === 2);
    expect(offers()[1]).toBe("copresence.auth.t2");
  });

  it("[TOKEN-2] [LINK-8] renews its connection as it is, for all its rooms", async () => {
    const door = await doorman({ expiresInMs: 2_000 });
    let asked = 0;
    const alice = ownClient(door.url, "alice", { token: () => Promise.resolve(`t${++asked}`) });
    const room = alice.join("doc");
    const log: unknown[] = [];
    room.roster.on("status", (status) => log.push(status));
    await until("two renewals", () => door.renewals.length >= 2);
    expect(door.renewals.slice(0, 2)).toEqual(["t2", "t3"]);
    expect([door.dialed.length, log]).toEqual([1, ["live"]]);
  });

  it("[TOKEN-2] whose page's timers were held up renews when the page returns", async () => {
    tellTime();
    const door = await doorman({ expiresInMs: HOUR });
    let asked = 0;
    const alice = openTab(door.url, "alice", { token: () => `t${++asked}` });
    const room = alice.presence.join("doc");
    await untilTold("it is in", () => room.roster.status === "live");
    // time passes, and no timer runs
    vi.setSystemTime(Date.now() + 55 * MINUTE);
    alice.page.show();
    await untilTold("it is renewed", () => door.renewals.length === 1);
    expect([door.renewals, door.dialed.length]).toEqual([["t2"], 1]);
  });

  it("[TOKEN-3] tells in the lobby of each failure, and is connecting until there is a token", async () => {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
    onTestFinished(() => warned.mockRestore());
    const door = await doorman({});
    const errors: unknown[] = [];
    let works = false;
    const token = (): Promise<string> => (works ? Promise.resolve("a.b.c") : Promise.reject(new Error("no session")));
    const alice = ownClient(door.url, "alice", { token, timing });
    const room = alice.join("doc");
    alice.lobby.on("error", (error) => errors.push(error));
    await until("some failures", () => errors.length >= 3);
    expect([door.dialed, room.roster.status, alice.lobby.status]).toEqual([[], "connecting", "connecting"]);
    expect(errors).toContainEqual(new Error("no session"));
    works = true;
    await until("it is in", () => room.roster.status === "live");
  });

  it("[TOKEN-4] comes back with a new token when the relay says that the old one expired", async () => {
    const says: Says = {};
    const door = await doorman(says);
    let asked = 0;
    const alice = ownClient(door.url, "alice", { token: () => `t${++asked}` });
    const { roster } = alice.join("doc");
    await until("it is in", () => roster.status === "live");
    const log: unknown[] = [];
    roster.on("status", (status) => log.push(status));
    roster.on("refused", (refusal) => log.push(refusal));
    door.sockets.at(-1)?.close(4501, "token expired");
    await until("it is back", () => log.length === 2);
    expect(log).toEqual(["stale", "live"]);
    expect(door.dialed.at(-1)?.protocols[1]).toBe("copresence.auth.t2");
  });

  it("[TOKEN-4] whose tokens have all expired waits ever longer between two attempts", async () => {
    const door = await doorman({ refusal: { code: 4501, reason: "token expired" } });
    vi.spyOn(Math, "random").mockReturnValue(1);
    onTestFinished(() => void vi.restoreAllMocks());
    ownClient(door.url, "alice", { token: () => "a.b.c" });
    await pause(1_000);
    // at 0, 100, 300 and 700 ms
    expect(door.dialed.length).toBeLessThanOrEqual(4);
    expect(door.dialed.length).toBeGreaterThan(1);
  });

  it.for([
    [4401, "a.b.c"],
    [4403, "a.b.c"],
    [4403, () => "a.b.c"],
  ] as const)("[TOKEN-7] that is refused with %i says so, and stays away (token: %o)", async ([code, token]) => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    onTestFinished(() => void vi.restoreAllMocks());
    const door = await doorman({ refusal: { code, reason: "because" } });
    const alice = ownClient(door.url, "alice", { token, timing });
    const refusals: unknown[] = [];
    alice.lobby.on("refused", (refusal) => refusals.push(refusal));
    await until("it is refused", () => refusals.length > 0);
    await pause(150);
    expect(refusals).toEqual([{ code, reason: "because" }]);
    expect(door.dialed).toHaveLength(1);
  });

  it("[TOKEN-6] whose token is not taken asks its function for others, slowly, and is in with the first that is", async () => {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
    onTestFinished(() => warned.mockRestore());
    const says: Says = { refusal: { code: 4401, reason: "unknown key" } };
    const door = await doorman(says);
    let asked = 0;
    const alice = ownClient(door.url, "alice", { token: () => `t${++asked}`, timing });
    const rooms = ["a", "b", "c"].map((name) => alice.join(name));
    const errors: string[] = [];
    alice.lobby.on("error", (error) => errors.push(String(error)));
    // at 0, and after 160 to 320 ms, 320 to 640, 640 to 1 280
    await pause(1_000);
    expect(asked).toBeLessThanOrEqual(4);
    expect(errors).toEqual([
      `Error: copresence: the relay at ${door.url} closed the connection (4401: unknown key); it is tried again`,
    ]);
    expect(warned).toHaveBeenCalledOnce();
    says.refusal = undefined;
    await until("it is in", () => rooms.every(({ roster }) => roster.status === "live"));
    expect(alice.lobby.refusal).toBeNull();
  });

  it("[TOKEN-10] asks a function that fails once for all its rooms, with waits that double", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    onTestFinished(() => void vi.restoreAllMocks());
    const door = await doorman({});
    let asked = 0;
    const token = (): Promise<string> => Promise.reject(new Error(`no session ${++asked}`));
    const alice = ownClient(door.url, "alice", { token, timing });
    for (const name of ["a", "b", "c", "d", "e", "f"]) alice.join(name);
    await pause(1_000);
    // after 10 to 20 ms, 20 to 40, … 320 to 640
    expect(asked).toBeGreaterThanOrEqual(5);
    expect(asked).toBeLessThanOrEqual(7);
  });

  it("[TOKEN-5] is in its own eyes who the relay knows it as", async () => {
    const door = await doorman({ user: { id: "u_1", name: "Alice Adams", color: "#2a73c4" } });
    const alice = ownClient(door.url, "alice", { user: { id: "me", name: "Eve", color: "#000000", avatar: "a.png" } });
    const room = alice.join("doc");
    const events: unknown[] = [];
    alice.lobby.on("event", (event) => events.push(event));
    room.roster.on("event", (event) => events.push(event));
    await until("it is in", () => room.roster.status === "live" && alice.lobby.self?.id === "u_1");
    const known = { id: "u_1", name: "Alice Adams", color: "#2a73c4", avatar: "a.png" };
    alice.setUser({ name: "Somebody else", avatar: "b.png" });
    const now = { ...known, avatar: "b.png" };
    expect(alice.user).toEqual(now);
    for (const roster of [alice.lobby, room.roster]) {
      expect(roster.self).toMatchObject({ ...now, self: true });
      expect(roster.users).toHaveLength(1);
    }
    expect(room.awareness.getLocalState()).toMatchObject({ user: now });
    expect(events.map((event) => (event as PresenceEvent).type)).not.toContain("leave");
  });
});

describe("with a relay that asks for tokens", () => {
  const secret = "a secret of more than thirty-two bytes";
  const guarded = { tick: 0, lobbyTick: 0, leaveGrace: 1_000, jwtSecret: secret, clockTolerance: 0 };

  const sign = (sub: string, claims: JWTPayload, lifetimeS: number, key = secret): Promise<string> =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256" })
      .setSubject(sub)
      .setExpirationTime(Math.floor(Date.now() / 1_000) + lifetimeS)
      .sign(new TextEncoder().encode(key));

  /** What happens to a user in somebody's eyes, as kinds of events. */
  function happenings(roster: Roster, id: string): string[] {
    const log: string[] = [];
    roster.on("event", ({ type, userId, user }) => {
      if (userId === id) log.push(user.reconnecting ? "reconnecting" : type);
    });
    return log;
  }

  it("[TOKEN-2] goes on with new tokens on the same connections, and nobody sees anything of it", async () => {
    const { url } = await startRelay(guarded);
    const alice = ownClient(url, "alice", { token: await sign("alice", {}, 600) });
    let asked = 0;
    const token = (): Promise<string> => {
      asked++;
      return sign("bob", {}, 3);
    };
    const bob = openTab(url, "bob", { token });
    const [hers, his] = [alice.join("doc"), bob.presence.join("doc")];
    await until("they see each other", () => hers.roster.users.length === 2 && his.roster.users.length === 2);
    // the lobby may hear of him before it hears of his room
    await until("and in the lobby", () => alice.lobby.get("bob")?.rooms.includes("doc") === true);
    const seen = [happenings(hers.roster, "bob"), happenings(alice.lobby, "bob")];
    const statuses: unknown[] = [];
    his.roster.on("status", (status) => statuses.push(status));
    await pause(4_500);
    expect(asked).toBeGreaterThanOrEqual(3);
    expect(asked).toBeLessThan(9);
    expect(bob.sockets.map(({ readyState }) => readyState)).toEqual([1]);
    expect([...seen, statuses]).toEqual([[], [], []]);
  });

  it("[TOKEN-3] [TOKEN-4] is cut off when its token ends without another, and back with the next", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    onTestFinished(() => void vi.restoreAllMocks());
    const { url } = await startRelay({ ...guarded, leaveGrace: 20_000 });
    const alice = ownClient(url, "alice", { token: await sign("alice", {}, 600) });
    const session = { over: false };
    const token = (): Promise<string> => (session.over ? Promise.reject(new Error("no")) : sign("bob", {}, 2));
    const bob = ownClient(url, "bob", { token, timing });
    await until("she sees him", () => alice.lobby.get("bob")?.status === "online");
    const events = happenings(alice.lobby, "bob");
    const statuses: unknown[] = [];
    bob.lobby.on("status", (status) => statuses.push(status));
    session.over = true;
    await until("it is noticed", () => events.includes("reconnecting") && bob.lobby.status === "stale", 20_000);
    session.over = false;
    await until("he is back", () => bob.lobby.status === "live" && alice.lobby.get("bob")?.reconnecting === false);
    expect(statuses).toEqual(["stale", "live"]);
    expect(new Set(events)).toEqual(new Set(["reconnecting", "update"]));
  });

  it.for([
    ["signed with another key", { sub: "alice", claims: {}, key: "another secret, as long as the first one" }, 4401],
    ["of no grants in the lobby", { sub: "alice", claims: { rooms: { doc: ["observe"] } }, key: secret }, 4403],
  ] as const)("[TOKEN-7] is told that its token %s is refused", async ([, { sub, claims, key }, code]) => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    onTestFinished(() => void vi.restoreAllMocks());
    const { url } = await startRelay(guarded);
    const alice = ownClient(url, "alice", { token: await sign(sub, claims, 600, key), timing });
    const codes: number[] = [];
    alice.lobby.on("refused", (refusal) => codes.push(refusal.code));
    await until("it is refused", () => codes.length > 0);
    await pause(150);
    expect(codes).toEqual([code]);
  });

  it("[TOKEN-7] that may not enter one room is refused there, and in no other", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    onTestFinished(() => void vi.restoreAllMocks());
    const { url } = await startRelay(guarded);
    const rooms = { "@lobby": ["observe"], "doc-*": ["observe", "presence"] };
    const alice = ownClient(url, "alice", { token: await sign("alice", { rooms }, 600) });
    const open = alice.join("doc-1");
    const closed = alice.join("plans");
    const codes: number[] = [];
    closed.roster.on("refused", (refusal) => codes.push(refusal.code));
    await until(
      "both are settled",
      () => codes.length === 1 && open.roster.status === "live" && alice.lobby.status === "live",
    );
    expect([codes, closed.roster.status, alice.lobby.status]).toEqual([[4403], "refused", "live"]);
  });

  it("[TOKEN-5] is who the token says, for itself and for others, also when a later one says something else", async () => {
    const { url } = await startRelay(guarded);
    const alice = ownClient(url, "alice", { token: await sign("u_1", { name: "Alice Adams" }, 600) });
    let name = "Bob";
    const bob = ownClient(url, "somebody", {
      user: { id: "somebody", name: "Admin", color: "#000000" },
      token: () => sign("u_2", { name, color: "#d05a3f" }, 2),
    });
    const [hers, his] = [alice.join("doc"), bob.join("doc")];
    const views = [hers.roster, his.roster, alice.lobby, bob.lobby];
    const known = (): unknown[] => views.map((roster) => roster.get("u_2")?.name);
    await until("all know him", () => known().every((each) => each === "Bob"));
    await until("and her", () => views.every((roster) => roster.users.length === 2));
    for (const roster of views) {
      expect(roster.users.map(({ id }) => id).toSorted()).toEqual(["u_1", "u_2"]);
      expect(roster.get("u_2")?.color).toBe("#d05a3f");
    }
    expect([his.roster.self?.id, bob.lobby.self?.id, bob.user.name]).toEqual(["u_2", "u_2", "Bob"]);
    const comings = happenings(hers.roster, "u_2");
    name = "Robert";
    await until("all know his new name", () => known().every((each) => each === "Robert"), 10_000);
    expect(comings).not.toContain("leave");
    expect(comings).not.toContain("join");
  });
});
