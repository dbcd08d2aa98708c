import * as fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import * as Y from "yjs";
import { RoomAwareness } from "../../../src/client/provider/awareness.ts";
import type { AnnouncedRoom } from "../../../src/client/provider/announcement.ts";
import { Outbound } from "../../../src/client/provider/outbound.ts";
import {
  type StateBytes,
  decodeEntries,
  decodeFrame,
  patchState,
  readStateBytes,
  text,
} from "../../../src/wire/index.ts";
import { tellTime } from "../../tab.ts";

/** What a relay holds of the states that one connection says. */
class Held {
  readonly states = new Map<number, StateBytes>();
  readonly clocks = new Map<number, number>();
  frames = 0;

  take(frame: Uint8Array): void {
    this.frames++;
    const read = decodeFrame(frame);
    if (read.type === "patch") {
      const known = this.states.get(read.id);
      if (known === undefined) throw new Error(`patch of ${read.id}, which is not known`);
      this.#clock(read.id, read.clock);
      this.states.set(read.id, patchState(read.patch, known).state);
    } else if (read.type === "awareness") {
      for (const { id, clock, state } of decodeEntries(read.payload, { maxStateBytes: Infinity, maxEntries: 9 })) {
        this.#clock(id, clock);
        const said = state === null ? null : readStateBytes(state);
        if (said === null) this.states.delete(id);
        else this.states.set(id, said.state);
      }
    } else throw new Error(`unexpected ${read.type}`);
  }

  #clock(id: number, clock: number): void {
    const last = this.clocks.get(id) ?? -1;
    if (clock < last) throw new Error(`clock ${clock} after ${last}`);
    this.clocks.set(id, clock);
  }

  /** As others see them. */
  seen(): unknown {
    return Object.fromEntries([...this.states].map(([id, { whole }]) => [id, JSON.parse(text(whole)) as unknown]));
  }
}

/** One room alone has nothing to tell but what it says itself. */
const alone = { rooms: new Set<AnnouncedRoom>(), flush() {} };

/** The outbound of a client, in told time, and the relay at its other end. */
function outbound() {
  const doc = new Y.Doc();
  const awareness = new RoomAwareness(doc);
  onTestFinished(() => doc.destroy());
  let relay = new Held();
  const refused: string[] = [];
  const outlet = { send: (frame: Uint8Array) => relay.take(frame), keepAlive() {}, doubt() {} };
  const out = new Outbound(awareness, outlet, alone, (field) => refused.push(field));
  onTestFinished(() => out.stop());
  const connect = (limits = {}): Held => {
    relay = new Held();
    out.opened();
    out.greeted(limits);
    return relay;
  };
  const settle = async (): Promise<void> => void (await vi.advanceTimersByTimeAsync(40));
  return { doc, awareness, out, refused, connect, settle, held: () => relay };
}

const name = fc.oneof(
  fc.constantFrom("cursor", "selection", "user", "copresence", "7", "10", "2", "-1", "4294967295", "__proto__"),
  fc.constantFrom("constructor", "", 'a"b', "a\\b", "\u2028", "é", "\ud83d", "\ude00", "\ud83d\ude00", "\n"),
  fc.string({ maxLength: 3 }),
);
const value = fc.oneof(
  fc.constant(undefined),
  fc.jsonValue({ maxDepth: 2 }),
  fc.record({ x: fc.nat(999), y: fc.nat(999) }),
);
const state = fc
  .array(fc.tuple(name, value), { maxLength: 6 })
  .map((entries) => Object.fromEntries(entries) as Record<string, unknown>);

type Step =
  | readonly ["set", Record<string, unknown>]
  | readonly ["field", string, unknown]
  | readonly ["renew" | "reconnect" | "ask" | "other id" | "wait"];
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fc.constant("set" as const), state),
  fc.tuple(fc.constant("field" as const), name, value),
  fc.tuple(
    fc.constantFrom("renew" as const, "reconnect" as const, "ask" as const, "other id" as const, "wait" as const),
  ),
);

describe("the own state on its way out", () => {
  it("[SYNC-1] [SYNC-2] is held by the relay as it is, whatever states follow each other", async () => {
    tellTime();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const { doc, awareness, out, connect, settle, held } = outbound();
        connect();
        for (const [what, ...rest] of steps) {
          if (what === "set") awareness.setLocalState(rest[0] as Record<string, unknown>);
          else if (what === "field") awareness.setLocalStateField(rest[0] as string, rest[1]);
          else if (what === "renew") awareness.setLocalState(awareness.getLocalState());
          else if (what === "reconnect") connect();
          else if (what === "ask") out.tell();
          else if (what === "other id") doc.clientID = (doc.clientID + 1) % 2 ** 32;
          else await settle();
        }
        awareness.setLocalState(awareness.getLocalState());
        await settle();
        expect(held().seen()).toEqual({ [doc.clientID]: JSON.parse(JSON.stringify(awareness.getLocalState())) });
        out.stop();
        doc.destroy();
      }),
      { numRuns: 300 },
    );
  });

  it("[SYNC-1] is what it was to the relay after a renewal that said nothing new, in the order that the relay has", async () => {
    tellTime();
    const { awareness, connect, settle, held } = outbound();
    connect();
    awareness.setLocalState({ user: { id: "again" }, cursor: { x: 100 } });
    await settle();
    awareness.setLocalState({ cursor: { x: 100 }, user: { id: "again" } });
    await settle();
    awareness.setLocalStateField("cursor", { x: 107 });
    await settle();
    expect(Object.values(held().seen() as object)).toEqual([{ user: { id: "again" }, cursor: { x: 107 } }]);
  });

  it("[SYNC-3] is not said before the relay has greeted", async () => {
    tellTime();
    const { awareness, out, settle, held } = outbound();
    out.opened();
    awareness.setLocalState({ cursor: 1 });
    await settle();
    out.leave();
    expect(held().frames).toBe(0);
    out.greeted({});
    expect(Object.values(held().seen() as object)).toEqual([{ cursor: 1 }]);
  });

  it("[SYNC-6] has clocks above all that were said under its client id before", async () => {
    tellTime();
    const doc = new Y.Doc();
    onTestFinished(() => doc.destroy());
    const relay = new Held();
    const outlet = { send: (frame: Uint8Array) => relay.take(frame), keepAlive() {}, doubt() {} };
    for (let mount = 0; mount < 3; mount++) {
      const awareness = new RoomAwareness(doc);
      const out = new Outbound(awareness, outlet, alone, () => {});
      out.opened();
      out.greeted({});
      for (let at = 0; at < 50; at++) {
        awareness.setLocalStateField("cursor", at);
        await vi.advanceTimersByTimeAsync(40);
      }
      out.leave();
      out.stop();
      awareness.destroy();
      expect(relay.states.size).toBe(0);
    }
  });

  it("[CLIENT-6] moves to another client id in one message", async () => {
    tellTime();
    const { doc, awareness, connect, settle, held } = outbound();
    connect();
    awareness.setLocalState({ cursor: 1 });
    await settle();
    const [before, frames] = [doc.clientID, held().frames];
    const changes: unknown[] = [];
    awareness.on("change", (change: unknown) => changes.push(change));
    doc.clientID = 7;
    // Yjs has given it another id by the end of a transaction
    doc.getMap().set("a", 1);
    expect([awareness.clientID, awareness.getLocalState()]).toEqual([7, { cursor: 1 }]);
    expect(changes).toEqual([{ added: [7], updated: [], removed: [before] }]);
    await settle();
    expect([held().frames, held().seen()]).toEqual([frames + 1, { 7: { cursor: 1 } }]);
  });

  it("[CLIENT-3] keeps the last value of a field that is too large, tells of it once, and sends it once it fits", async () => {
    tellTime();
    const { awareness, refused, connect, settle, held } = outbound();
    connect({ maxState: 1_000, maxMeta: 500 });
    const now = (): unknown => Object.values(held().seen() as object)[0];
    awareness.setLocalState({ cursor: 1, selected: ["a"] });
    await settle();
    awareness.setLocalStateField("selected", "x".repeat(1_000));
    await settle();
    awareness.setLocalStateField("cursor", 2);
    await settle();
    expect([now(), refused]).toEqual([{ cursor: 2, selected: ["a"] }, ["selected"]]);
    // the same on another connection
    connect({ maxState: 1_000, maxMeta: 500 });
    expect([now(), refused]).toEqual([{ cursor: 2, selected: ["a"] }, ["selected"]]);
    awareness.setLocalStateField("selected", []);
    await settle();
    expect(now()).toEqual({ cursor: 2, selected: [] });
    awareness.setLocalStateField("selected", "x".repeat(1_000));
    await settle();
    expect(refused).toEqual(["selected", "selected"]);
    // a relay that takes more
    connect({ maxState: 2_000 });
    expect(now()).toEqual({ cursor: 2, selected: "x".repeat(1_000) });
  });

  it("[CLIENT-4] says less after the relay found it too large, whatever it says that it takes", () => {
    tellTime();
    const { awareness, out, connect, held } = outbound();
    const now = (): unknown => Object.values(held().seen() as object)[0];
    awareness.setLocalState({
      user: { id: "alice" },
      copresence: { session: "s", meta: { big: "x".repeat(50) } },
      cursor: "x".repeat(20),
      selection: "x".repeat(10),
    });
    connect();
    const person = { user: { id: "alice" }, copresence: { session: "s", meta: { big: "x".repeat(50) } } };
    const steps: unknown[] = [];
    for (let i = 0; i < 4; i++) {
      expect(out.tooLarge("awareness state larger than 7 bytes")).toBe(true);
      connect();
      steps.push(now());
    }
    expect(steps).toEqual([
      { ...person, selection: "x".repeat(10) },
      person,
      { ...person, copresence: { session: "s", meta: {} } },
      undefined,
    ]);
    // it was not the state
    expect(out.tooLarge("awareness state larger than 7 bytes")).toBe(false);
    out.retry();
    connect();
    expect(now()).toEqual(awareness.getLocalState());
    expect(out.tooLarge("message too large")).toBe(false);
  });

  it("says that it lives when nothing is new, every 15 s", async () => {
    tellTime();
    const doc = new Y.Doc();
    const awareness = new RoomAwareness(doc);
    onTestFinished(() => doc.destroy());
    const keepAlive = vi.fn<() => void>();
    const outlet = { send() {}, keepAlive, doubt() {} };
    const out = new Outbound(awareness, outlet, alone, () => {});
    onTestFinished(() => out.stop());
    out.opened();
    out.greeted({});
    // [SYNC-5] whatever the device takes the time for
    vi.setSystemTime(Date.now() - 3_600_000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(keepAlive).toHaveBeenCalledTimes(4);
  });
});
