import { describe, expect, it } from "vitest";
import {
  EMPTY_STATE_VECTOR,
  MAX_WATCHED,
  controlFrame,
  decodeFrame,
  syncStep1Frame,
} from "../../../../src/wire/index.ts";
import type { Control, CountsMessage } from "../../../../src/wire/index.ts";
import { until } from "../../../support.ts";
import { startRelay } from "../../../support.ts";
import { type RawPeer, mentions, rawPeer, stateOf } from "../../raw.ts";
import { SECRET, tokenFor } from "../../tokens.ts";

const prompt = { tick: 0, lobbyTick: 0, leaveGrace: 50 };
type Told = Record<string, { readonly sessions: Record<string, { readonly rooms: readonly string[] }> } | null>;

/** What a peer knows of those whom it watches. */
function toldTo(peer: RawPeer): Told {
  const told: Told = {};
  for (const control of peer.controls)
    if (control.kind === "people") Object.assign(told, Object.fromEntries(control.users));
  return told;
}

const countsOf = (peer: RawPeer): CountsMessage[] =>
  peer.controls.filter((control): control is CountsMessage => control.kind === "counts");

const answered = (peer: RawPeer): number =>
  peer.controls.filter((control) => control.kind === "people" && control.done === true).length;

/** Says it in a lobby, and waits for the answer. */
async function ask(peer: RawPeer, control: Extract<Control, { kind: "watch" }>): Promise<void> {
  const before = answered(peer);
  peer.send(controlFrame(control));
  await until("an answer", () => answered(peer) > before);
}

const watcher = (url: string, path = "@lobby"): Promise<RawPeer> => rawPeer(url, path, { trusts: true });

describe("those who watch people of a lobby", () => {
  it("[WATCH-1] are told of these alone, without the document, as they are and as they change", async () => {
    const { url, relay } = await startRelay(prompt);
    const bob = await rawPeer(url, "doc", { trusts: true });
    bob.say([2, 1, stateOf("bob", "s_bob")]);
    const carol = await rawPeer(url, "doc", { trusts: true });
    carol.say([3, 1, stateOf("carol", "s_carol")]);
    await until("both are here", () => relay.users().length === 2);
    const peer = await watcher(url);
    await ask(peer, { kind: "watch", users: ["bob", "dave"] });
    expect(toldTo(peer)).toMatchObject({
      bob: { user: { name: "bob" }, sessions: { s_bob: { rooms: ["doc"] } } },
      dave: null,
    });
    carol.say([3, 2, stateOf("carol", "s_carol", { status: "away" })]);
    bob.say([2, 2, stateOf("bob", "s_bob", { status: "away" })]);
    await until("he is away", () => JSON.stringify(toldTo(peer)).includes("away"));
    const dave = await rawPeer(url, "other", { trusts: true });
    dave.say([4, 1, stateOf("dave", "s_dave")]);
    await until("Dave is here", () => toldTo(peer)["dave"] !== null);
    bob.say([2, 3, null]);
    await until("Bob left", () => Object.keys(toldTo(peer)["bob"]?.sessions ?? {}).length === 0);
    expect(toldTo(peer)["bob"]).toMatchObject({ user: { name: "bob" }, sessions: {}, lastSeen: expect.any(Number) });
    expect(mentions(peer.received, "carol")).toBe(false);
    expect(peer.frames.some(({ type }) => type === "update" || type === "syncStep2")).toBe(false);
  });

  it("[WATCH-1] hear no more of one when they say so, nor of anybody once they are gone", async () => {
    const { url, relay } = await startRelay(prompt);
    const [peer, other] = [await watcher(url), await watcher(url)];
    for (const each of [peer, other]) await ask(each, { kind: "watch", users: ["bob", "carol"] });
    peer.send(controlFrame({ kind: "unwatch", users: ["bob", "nobody"] }));
    other.socket.terminate();
    await until("the other is gone", () => relay.metrics().connections === 1);
    const bob = await rawPeer(url, "doc");
    bob.say([2, 1, stateOf("bob", "s_bob")], [3, 1, stateOf("carol", "s_carol")]);
    await until("Carol is here", () => toldTo(peer)["carol"] !== null);
    expect(toldTo(peer)["bob"]).toBeNull();
  });

  it("[WATCH-1] are told of many in several messages, of which the last says that it is", async () => {
    const { url, relay } = await startRelay(prompt);
    const room = await rawPeer(url, "doc");
    const ids = Array.from({ length: 40 }, (_, i) => `user-${i}`);
    room.say(...ids.map((id, i) => [i, 1, stateOf(id, `s_${id}`, { meta: { text: "x".repeat(2_000) } })] as const));
    await until("all are here", () => relay.users().length === ids.length);
    const peer = await watcher(url);
    await ask(peer, { kind: "watch", users: ids });
    const messages = peer.controls.filter(({ kind }) => kind === "people");
    expect(messages.length).toBeGreaterThan(2);
    expect(messages.map((each) => "done" in each)).toEqual(messages.map((_, i) => i === messages.length - 1));
    expect(Object.keys(toldTo(peer)).toSorted()).toEqual(ids.toSorted());
  });

  it("[WATCH-2] may have numbers, whole once, and then what changed", async () => {
    const { url, relay } = await startRelay(prompt);
    const bob = await rawPeer(url, "doc", { trusts: true });
    bob.say([2, 1, stateOf("bob", "s_bob")]);
    await until("Bob is here", () => relay.users().length === 1);
    const peer = await watcher(url);
    await ask(peer, { kind: "watch", users: [], counts: true });
    expect(countsOf(peer)).toEqual([
      { kind: "counts", users: 1, statuses: { online: 1 }, rooms: 1, fullest: [["doc", 1]], whole: true },
    ]);
    const carol = await rawPeer(url, "other", { trusts: true });
    carol.say([3, 1, stateOf("carol", "s_carol", { status: "away" })]);
    await until("Carol is counted", () => countsOf(peer).length === 2);
    expect(countsOf(peer)[1]).toEqual({
      kind: "counts",
      users: 2,
      statuses: { online: 1, away: 1 },
      rooms: 2,
      fullest: [["other", 1]],
    });
  });

  it("[WATCH-4] who are too many, or no ids, end the lobby's channel, with what is wrong", async () => {
    const { url } = await startRelay(prompt);
    const ids = Array.from({ length: MAX_WATCHED }, (_, i) => `user-${i}`);
    const peer = await watcher(url);
    await ask(peer, { kind: "watch", users: ids });
    await ask(peer, { kind: "watch", users: ids });
    peer.send(controlFrame({ kind: "watch", users: ["one-more"] }));
    expect(await peer.closed).toEqual({ code: 4413, reason: "more than 1000 people are watched" });
    const bad = await watcher(url);
    bad.send(controlFrame({ kind: "watch", users: [""] }));
    expect(await bad.closed).toMatchObject({ code: 4400 });
    const elsewhere = await watcher(url, "doc");
    elsewhere.send(controlFrame({ kind: "watch", users: ["bob"] }));
    expect(await elsewhere.closed).toEqual({ code: 4400, reason: "unexpected control message watch" });
    const stock = await rawPeer(url, "@lobby");
    stock.send(controlFrame({ kind: "watch", users: ["bob"] }));
    expect(await stock.closed).toEqual({ code: 4400, reason: "unexpected control message watch" });
  });

  it("[WATCH-4] and ask again and again are closed once the answers are too many", async () => {
    const { url, relay } = await startRelay({ ...prompt, byteRate: 2_000 });
    const room = await rawPeer(url, "doc");
    room.say([1, 1, stateOf("bob", "s_bob", { meta: { text: "x".repeat(8_000) } })]);
    await until("Bob is here", () => relay.users().length === 1);
    const peer = await watcher(url);
    for (let i = 0; i < 5; i++) peer.send(controlFrame({ kind: "watch", users: ["bob"] }));
    expect(await peer.closed).toEqual({ code: 4529, reason: "too many questions" });
  });

  it("[WATCH-9] whom they watch counts with the states, until they watch them no more", async () => {
    const { url, relay } = await startRelay({ ...prompt, maxStatesTotal: 800_000 });
    const ids = (name: string): string[] => Array.from({ length: 900 }, (_, i) => `${name}-${i}`.padEnd(20, "-"));
    const peer = await watcher(url);
    const before = relay.metrics().stateBytes;
    await ask(peer, { kind: "watch", users: ids("a") });
    const after = relay.metrics().stateBytes;
    expect(after - before).toBe(900 * 240);
    // half of it for one address, as for states
    const other = await watcher(url);
    other.send(controlFrame({ kind: "watch", users: ids("b") }));
    expect(await other.closed).toMatchObject({ code: 4503 });
    expect(relay.metrics().stateBytes).toBe(after);
    peer.send(controlFrame({ kind: "unwatch", users: [...ids("a").slice(0, 400), "nobody"] }));
    await until("they count no more", () => relay.metrics().stateBytes === before + 500 * 240);
    peer.socket.close();
    await until("nobody is watched", () => relay.metrics().stateBytes === before);
  });

  it("[WATCH-5] without the right to observe are told of nobody", async () => {
    const { url, relay } = await startRelay({ ...prompt, jwtSecret: SECRET });
    const rooms = { "@lobby": ["presence"], doc: ["presence"] };
    const token = await tokenFor({ sub: "alice", rooms });
    const bob = await rawPeer(url, `doc?token=${await tokenFor({ sub: "bob", rooms })}`, { trusts: true });
    bob.say([2, 1, stateOf("bob", "s_bob")]);
    await until("Bob is here", () => relay.users().length === 1);
    const peer = await watcher(url, `@lobby?token=${token}`);
    await ask(peer, { kind: "watch", users: ["bob"], counts: true });
    bob.say([2, 2, stateOf("bob", "s_bob", { status: "away" })]);
    await until("he is away", () => relay.users()[0]?.status === "away");
    await ask(peer, { kind: "watch", users: ["bob"] });
    expect([toldTo(peer), countsOf(peer)]).toEqual([{}, []]);
  });

  it("[WATCH-6] are told nothing of one who is invisible, and neither is anybody counted who is", async () => {
    const { url, relay } = await startRelay(prompt);
    const manual = { status: "invisible", at: 1_000 };
    const ina = await rawPeer(url, "doc", { trusts: true });
    ina.say([2, 1, stateOf("ina", "s_ina", { manual, meta: { x: "secret" } })]);
    const peer = await watcher(url);
    await ask(peer, { kind: "watch", users: ["ina", "bob"], counts: true });
    ina.say([2, 2, stateOf("ina", "s_ina", { manual, meta: { x: "secret too" } })]);
    const bob = await rawPeer(url, "doc", { trusts: true });
    bob.say([3, 1, stateOf("bob", "s_bob")]);
    await until("Bob is here", () => toldTo(peer)["bob"] !== null);
    expect(toldTo(peer)["ina"]).toBeNull();
    expect(countsOf(peer).at(-1)).toMatchObject({ users: 1, statuses: { online: 1 }, fullest: [["doc", 1]] });
    bob.say([3, 2, stateOf("bob", "s_bob", { manual: { ...manual, at: 2_000 }, meta: { x: "secret" } })]);
    await until("Bob is hidden", () => Object.keys(toldTo(peer)["bob"]?.sessions ?? {}).length === 0);
    await until("and not counted", () => countsOf(peer).at(-1)?.users === 0);
    expect(countsOf(peer).at(-1)).toMatchObject({ statuses: {}, rooms: 0, fullest: [["doc", 0]] });
    expect([relay.users(), ...["secret", "s_ina", "invisible"].map((text) => mentions(peer.received, text))]).toEqual([
      [],
      false,
      false,
      false,
    ]);
  });

  it("[WATCH-7] hear of no room, and not when somebody goes from one to another, where lobbies tell no rooms", async () => {
    const { url, relay } = await startRelay({ ...prompt, lobby: { rooms: false } });
    const bob = await rawPeer(url, "doc", { trusts: true });
    bob.say([2, 1, stateOf("bob", "s_bob")]);
    await until("Bob is here", () => relay.users().length === 1);
    const peer = await watcher(url);
    await ask(peer, { kind: "watch", users: ["bob", "carol"], counts: true });
    const before = peer.received.length;
    const elsewhere = await rawPeer(url, "elsewhere", { trusts: true });
    elsewhere.say([3, 1, stateOf("bob", "s_bob")]);
    await until("he is there, too", () => relay.users()[0]?.rooms.length === 2);
    expect(peer.received).toHaveLength(before);
    elsewhere.say([4, 1, stateOf("carol", "s_carol")]);
    await until("Carol is here", () => toldTo(peer)["carol"] !== null);
    expect(["doc", "elsewhere"].map((room) => mentions(peer.received, room))).toEqual([false, false]);
  });

  it("[WATCH-1] are told of each change with the readers of the document", async () => {
    const { url } = await startRelay({ ...prompt, lobbyTick: 30 });
    const [peer, reader] = [await watcher(url), await watcher(url)];
    await ask(peer, { kind: "watch", users: ["bob"] });
    reader.send(syncStep1Frame(EMPTY_STATE_VECTOR));
    const bob = await rawPeer(url, "doc", { trusts: true });
    for (let clock = 1; clock <= 5; clock++) {
      bob.say([2, clock, stateOf("bob", "s_bob", { meta: { step: `step-${clock}` } })]);
      await until("both know", () => [peer, reader].every(({ received }) => mentions(received, `step-${clock}`)));
    }
  });
});

describe("the bytes of watching", () => {
  it("[WATCH-1] are those of PROTOCOL.md", () => {
    const hex = (control: Control): string => Buffer.from(controlFrame(control)).toString("hex");
    const vectors: readonly Control[] = [
      { kind: "watch", users: ["bob"], counts: true },
      { kind: "unwatch", users: ["bob"] },
    ];
    expect(vectors.map(hex)).toEqual([
      "632e7b226b696e64223a227761746368222c227573657273223a5b22626f62225d2c22636f756e7473223a747275657d",
      "63227b226b696e64223a22756e7761746368222c227573657273223a5b22626f62225d7d",
    ]);
    for (const control of vectors) expect(decodeFrame(controlFrame(control))).toEqual({ type: "control", control });
  });
});
