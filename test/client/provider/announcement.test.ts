import * as fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import * as Y from "yjs";
import { announcementOf } from "../../../src/client/provider/announcement.ts";
import { RoomAwareness } from "../../../src/client/provider/awareness.ts";
import { Outbound } from "../../../src/client/provider/outbound.ts";
import type { Device, ManualChoice, UserInfo } from "../../../src/presence/index.ts";
import {
  type SessionChange,
  type StateBytes,
  changeSession,
  decodeEntries,
  decodeFrame,
  controlFrame,
  patchState,
  readStateBytes,
  text,
} from "../../../src/wire/index.ts";
import { tellTime } from "../../tab.ts";

/** A session whose members a test sets, and which tells of it. */
class ScriptedSession {
  user: UserInfo = { id: "alice", name: "Alice" };
  status: "online" | "away" = "online";
  manual: ManualChoice | null = null;
  readonly #listeners: (() => void)[] = [];

  on(_type: "change" | "wake" | "suspend", listener: () => void): () => void {
    this.#listeners.push(listener);
    return () => {};
  }

  announce<Meta>(meta: Meta) {
    const { user, status, manual } = this;
    const device: Device = "desktop";
    return {
      user,
      copresence: { session: "s_1", status, device, since: 1, meta, ...(manual !== null && { manual }) },
    };
  }

  change(change: Partial<Pick<ScriptedSession, "user" | "status" | "manual">>): void {
    Object.assign(this, change);
    for (const listener of this.#listeners) listener();
  }
}

/** A client in some rooms, and what the relay at the other end of its link holds. */
function client(size: number, maxState = 64 * 1_024) {
  const session = new ScriptedSession();
  /** All that was sent: on channel 0, or in the room of that number. */
  const sent: { readonly room: number | null; readonly bytes: number }[] = [];
  const held: (StateBytes | null)[] = Array.from({ length: size }, () => null);
  const link = {
    takesSession: true,
    tell(change: SessionChange): void {
      const frame = controlFrame(change);
      sent.push({ room: null, bytes: frame.length });
      const said = decodeFrame(frame);
      if (said.type !== "control" || said.control.kind !== "session") throw new Error("it is read as it was said");
      for (const [i, state] of held.entries()) {
        if (state !== null) held[i] = changeSession(said.control, state).state;
      }
    },
    doubt(): void {},
  };
  const announcement = announcementOf(session, link);
  const refused: string[] = [];
  const rooms = held.map((_, i) => {
    const doc = new Y.Doc();
    const awareness = new RoomAwareness(doc);
    const send = (frame: Uint8Array): void => {
      sent.push({ room: i, bytes: frame.length });
      const said = decodeFrame(frame);
      const known = held[i] ?? null;
      if (said.type === "patch") held[i] = known && patchState(said.patch, known).state;
      if (said.type !== "awareness") return;
      const [entry] = decodeEntries(said.payload, { maxStateBytes: Infinity, maxEntries: 9 });
      if (entry !== undefined) held[i] = entry.state && (readStateBytes(entry.state)?.state ?? null);
      if ((held[i]?.size ?? 0) > maxState) throw new Error("too large");
    };
    const out = new Outbound(awareness, { send, keepAlive() {}, doubt() {} }, announcement, (field) =>
      refused.push(field),
    );
    let meta: unknown = { room: i };
    const restore = (): void => {
      const local = awareness.getLocalState();
      const { user, copresence } = session.announce(meta);
      awareness.setLocalState({ ...local, user: { ...(local?.["user"] as object), ...user }, copresence });
    };
    session.on("change", restore);
    restore();
    const connect = (): void => {
      held[i] = null;
      out.opened();
      out.greeted({ maxState });
    };
    connect();
    onTestFinished(() => {
      out.stop();
      doc.destroy();
    });
    const setMeta = (next: unknown): void => {
      meta = next;
      restore();
    };
    return { awareness, out, connect, setMeta };
  });
  const settle = async (): Promise<void> => void (await vi.advanceTimersByTimeAsync(40));
  const seen = (i: number): unknown => {
    const state = held[i] ?? null;
    return state && (JSON.parse(text(state.whole)) as unknown);
  };
  return { session, link, rooms, sent, refused, settle, seen };
}

const user = fc.record(
  { name: fc.string({ maxLength: 5 }), avatar: fc.constantFrom("a", undefined, "x".repeat(200)), color: fc.string() },
  { requiredKeys: ["name"] },
);
const status = fc.constantFrom("online" as const, "away" as const);
const manual = fc.option(fc.record({ status: fc.constantFrom("dnd" as const, null), at: fc.nat(9) }));
const room = fc.nat(2);
const step = fc.oneof(
  fc.record({ what: fc.constant("session" as const), change: fc.record({ status, manual }, { requiredKeys: [] }) }),
  fc.record({ what: fc.constant("user" as const), user }),
  fc.record({ what: fc.constant("cursor" as const), room, value: fc.jsonValue({ maxDepth: 1 }) }),
  fc.record({ what: fc.constant("binding's user" as const), room, value: fc.dictionary(fc.string(), fc.nat()) }),
  fc.record({ what: fc.constant("meta" as const), room, value: fc.dictionary(fc.string(), fc.nat()) }),
  fc.record({ what: fc.constantFrom("reconnect" as const, "ask" as const, "leave" as const), room }),
  fc.record({ what: fc.constant("wait" as const) }),
);

describe("a session that is announced in several rooms", () => {
  it("[LINK-13] says once what changed, and nothing in the rooms", async () => {
    tellTime();
    const { session, rooms, sent, settle, seen } = client(20);
    rooms[3]?.awareness.setLocalStateField("cursor", 7);
    await settle();
    sent.length = 0;
    session.change({ manual: { status: "dnd", at: 1_764_000_000_000 } });
    await settle();
    expect(sent).toEqual([{ room: null, bytes: expect.any(Number) }]);
    expect(sent[0]?.bytes).toBeLessThan(100);
    session.change({ status: "away" });
    session.change({ user: { id: "alice", name: "Al" } });
    await settle();
    expect(sent.map(({ room: where }) => where)).toEqual([null, null]);
    for (const [i, { awareness }] of rooms.entries()) expect(seen(i)).toEqual(awareness.getLocalState());
    expect(seen(3)).toMatchObject({ cursor: 7, copresence: { manual: { status: "dnd" }, meta: { room: 3 } } });
  });

  it("[LINK-13] is held by the relay as it is in each room, whatever is said there meanwhile", async () => {
    tellTime();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
        const { session, rooms, settle, seen } = client(3);
        for (const each of steps) {
          const where = "room" in each ? rooms[each.room] : undefined;
          const { awareness } = where ?? {};
          if (each.what === "session") session.change(each.change);
          else if (each.what === "user") session.change({ user: { id: "alice", ...(each.user as { name: string }) } });
          else if (each.what === "cursor") awareness?.setLocalStateField("cursor", each.value);
          else if (each.what === "binding's user") awareness?.setLocalStateField("user", each.value);
          else if (each.what === "meta") where?.setMeta(each.value);
          else if (each.what === "reconnect") where?.connect();
          else if (each.what === "ask") where?.out.tell();
          else if (each.what === "leave") where?.out.leave();
          else await settle();
        }
        session.change({});
        await settle();
        for (const [i, { awareness }] of rooms.entries()) {
          expect(seen(i)).toEqual(JSON.parse(JSON.stringify(awareness.getLocalState())));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("[LINK-16] says in each room what changed to a relay that takes it only so, and in one room alone", async () => {
    tellTime();
    for (const [size, takesSession] of [
      [3, false],
      [1, true],
    ] as const) {
      const { session, link, sent, settle, seen } = client(size);
      link.takesSession = takesSession;
      sent.length = 0;
      session.change({ status: "away" });
      await settle();
      expect(sent.map(({ room: where }) => where)).toEqual(Array.from({ length: size }, (_, i) => i));
      expect(seen(0)).toMatchObject({ copresence: { status: "away" } });
    }
  });

  it("[LINK-16] [CLIENT-3] says in each room as much as goes out there, where it is too large or JSON does not hold it", async () => {
    tellTime();
    const { session, rooms, sent, refused, settle, seen } = client(3, 1_000);
    rooms[1]?.awareness.setLocalStateField("cursor", "x".repeat(700));
    await settle();
    sent.length = 0;
    session.change({ user: { id: "alice", name: "y".repeat(200) } });
    await settle();
    expect(sent.every(({ room: where }) => where !== null)).toBe(true);
    expect(refused).toEqual(["cursor"]);
    for (const i of [0, 1, 2]) expect(seen(i)).toMatchObject({ user: { name: "y".repeat(200) } });
    sent.length = 0;
    rooms[1]?.awareness.setLocalStateField("cursor", null);
    session.change({ user: { id: "alice", name: 5n as unknown as string } });
    await settle();
    expect(refused).toEqual(["cursor", "user", "user", "user"]);
  });
});
