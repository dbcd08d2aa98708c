import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  FrameError,
  LINK_CHANNEL,
  MAX_DEPTH,
  type SessionChange,
  changeSession,
  controlFrame,
  decodeFrame,
  envelope,
  fieldsOf,
  joinFields,
  readStateBytes,
  text,
  withSession,
} from "../../src/wire/index.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** A state, once its session has changed. */
function after(state: object, change: Omit<SessionChange, "kind">): string {
  return text(joinFields(withSession(fieldsOf(state), { kind: "session", ...change })));
}

const names = fc.constantFrom("session", "status", "manual", "since", "meta", "agent", "id", "name", "7", "__proto__");
const member = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom("\ud83d", 1e21, -0, 1 / 3));
const record = fc
  .array(fc.tuple(names, member), { maxLength: 6 })
  .map((entries) => Object.fromEntries(entries) as Record<string, unknown>);
const state = fc.record(
  { user: fc.oneof(record, member), copresence: fc.oneof(record, member), cursor: member },
  { requiredKeys: [] },
);
const change = fc.record({ user: record, copresence: record }, { requiredKeys: [] });

describe("a session that changes", () => {
  it("[LINK-13] is said in the bytes of PROTOCOL.md", () => {
    const said: SessionChange = { kind: "session", copresence: { status: "away", since: 1 } };
    const message = envelope(LINK_CHANNEL, controlFrame(said));
    expect(hex(message)).toBe(`00633b${hex(new TextEncoder().encode(JSON.stringify(said)))}`);
    expect(decodeFrame(message.subarray(1))).toEqual({ type: "control", control: { ...said, user: undefined } });
    const before = { session: "s", status: "online", device: "desktop", since: 0, meta: { n: 7 } };
    expect(after({ copresence: before, cursor: 5 }, said)).toBe(
      '{"copresence":{"session":"s","status":"away","device":"desktop","since":1,"meta":{"n":7}},"cursor":5}',
    );
  });

  it("[LINK-13] changes the members that are named, and no other", () => {
    const user = { color: "#000000", id: "alice", name: "Alice" };
    const copresence = { session: "s", status: "online", device: "desktop", since: 0, meta: {}, agent: true };
    expect(after({ user }, { user: { name: "Al", avatar: "a" } })).toBe(
      '{"user":{"color":"#000000","id":"alice","name":"Al","avatar":"a"}}',
    );
    expect(after({ copresence }, { copresence: { manual: { status: "dnd", at: 1 } } })).toBe(
      '{"copresence":{"session":"s","status":"online","device":"desktop","since":0,"meta":{},"agent":true,"manual":{"status":"dnd","at":1}}}',
    );
    expect(after({ cursor: 1 }, { user: { id: "alice" }, copresence: {} })).toBe(
      '{"cursor":1,"user":{"id":"alice"},"copresence":{}}',
    );
    expect(after({ user: "Alice", copresence: 5 }, { user: { id: "alice" } })).toBe(
      '{"user":{"id":"alice"},"copresence":5}',
    );
  });

  it("[LINK-13] is the same to the relay and to the client, byte for byte, whatever the state", () => {
    fc.assert(
      fc.property(state, fc.array(change, { maxLength: 4 }), (first, changes) => {
        let here = fieldsOf(first);
        let there = readStateBytes(joinFields(here))!.state;
        for (const each of changes) {
          const said = decodeFrame(controlFrame({ kind: "session", ...each }));
          if (said.type !== "control" || said.control.kind !== "session") throw new Error("it is read as it was said");
          here = withSession(here, said.control);
          const before = there.fields;
          const { state: next, changed } = changeSession(said.control, there);
          there = next;
          expect(text(there.whole)).toBe(text(joinFields(here)));
          for (const [name, value] of there.fields) expect(changed.has(name)).toBe(before.get(name) !== value);
        }
      }),
    );
  });

  it.each([
    ["a user who is no object", '{"kind":"session","user":"alice"}'],
    ["a list", '{"kind":"session","copresence":[]}'],
    ["null", '{"kind":"session","copresence":null}'],
    ["one nested too deep", `{"kind":"session","user":${'{"a":'.repeat(MAX_DEPTH)}1${"}".repeat(MAX_DEPTH)}}`],
  ])("[LINK-6] is not %s", (_, source) => {
    const bytes = new TextEncoder().encode(source);
    const frame = controlFrame({ kind: "ping" });
    const head = bytes.length < 128 ? [bytes.length] : [128 | (bytes.length % 128), Math.floor(bytes.length / 128)];
    expect(() => decodeFrame(Uint8Array.of(frame[0] ?? 0, ...head, ...bytes))).toThrow(FrameError);
  });
});
