import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as auth from "y-protocols/auth";
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from "y-protocols/awareness";
import * as sync from "y-protocols/sync";
import * as Y from "yjs";
import {
  type Control,
  EMPTY_STATE_VECTOR,
  EMPTY_UPDATE,
  type Frame,
  FrameError,
  KEEP_ALIVE_FRAME,
  awarenessFrame,
  encodeEntries,
  statesUpdateFrame,
  controlFrame,
  decodeControl,
  decodeFrame,
  encodeControl,
  messagesFrame,
  syncStep1Frame,
  syncStep2Frame,
  updateFrame,
} from "../../src/wire/index.ts";

/** A message as y-websocket writes it. */
function stock(type: number, write: (encoder: encoding.Encoder) => void = () => {}): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, type);
    write(encoder);
  });
}

function withText(word: string): Y.Doc {
  const doc = new Y.Doc();
  doc.getText("text").insert(0, word);
  return doc;
}

const doc = withText("hello");
const update = Y.encodeStateAsUpdate(doc);
const stateVector = Y.encodeStateVector(doc);
const payload = Uint8Array.of(0);
const control: Control = { kind: "superseded", session: "s1 ünïcode" };

const frames: [what: string, stock: Uint8Array, ours: Uint8Array | null, frame: Frame][] = [
  [
    "sync step 1",
    stock(0, (encoder) => sync.writeSyncStep1(encoder, doc)),
    syncStep1Frame(stateVector),
    { type: "syncStep1", stateVector },
  ],
  [
    "sync step 2",
    stock(0, (encoder) => sync.writeSyncStep2(encoder, doc)),
    syncStep2Frame(update),
    { type: "syncStep2", update },
  ],
  [
    "a document update",
    stock(0, (encoder) => sync.writeUpdate(encoder, update)),
    updateFrame(update),
    { type: "update", update },
  ],
  [
    "awareness",
    stock(1, (encoder) => encoding.writeVarUint8Array(encoder, payload)),
    awarenessFrame(payload),
    { type: "awareness", payload },
  ],
  ...([{ user: { name: "ü" } }, null] as const).map((state): (typeof frames)[number] => {
    const entries = [{ id: 7, clock: 300, state: state && new TextEncoder().encode(JSON.stringify(state)) }];
    const said = encodeEntries(entries);
    return [
      `the awareness of one: ${JSON.stringify(state)}`,
      stock(1, (encoder) => encoding.writeVarUint8Array(encoder, said)),
      statesUpdateFrame(entries),
      { type: "awareness", payload: said },
    ];
  }),
  [
    "a refusal",
    stock(2, (encoder) => auth.writePermissionDenied(encoder, "no")),
    null,
    { type: "denied", reason: "no" },
  ],
  ["a question for awareness", stock(3), null, { type: "queryAwareness" }],
  [
    "control",
    stock(99, (encoder) => encoding.writeVarString(encoder, JSON.stringify(control))),
    controlFrame(control),
    { type: "control", control },
  ],
];

const wave = {
  type: "wave",
  payload: null,
  from: { userId: "alice", session: "s_1", clientId: 7 },
  timestamp: 1764000000000,
};
frames.push([
  "one-off messages",
  stock(99, (encoder) =>
    encoding.writeVarString(encoder, JSON.stringify({ kind: "messages", messages: [wave, wave] })),
  ),
  messagesFrame([JSON.stringify(wave), JSON.stringify(wave)]),
  { type: "control", control: { kind: "messages", messages: [wave, wave] } },
]);

it("[WIRE-1] a one-off message is what PROTOCOL.md says, byte by byte", () => {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
  const said = controlFrame({ kind: "broadcast", type: "wave", payload: "👋" });
  expect(hex(said)).toBe(
    "63337b226b696e64223a2262726f616463617374222c2274797065223a2277617665222c227061796c6f6164223a22f09f918b227d",
  );
  const heard = messagesFrame([JSON.stringify({ ...wave, payload: "👋" })]);
  expect(hex(heard)).toMatch(/^6392017b226b696e64223a226d65737361676573222c226d65737361676573223a5b7b227479706522/);
});

/** Bytes as a part of a larger buffer. */
function within(bytes: Uint8Array): Uint8Array {
  const pool = new Uint8Array(bytes.length + 200).fill(1);
  pool.set(bytes, 100);
  return pool.subarray(100, 100 + bytes.length);
}

describe("frames", () => {
  it.each(frames)("[WIRE-1] of %s are those of y-websocket, or of type 99", (_what, bytes, ours, frame) => {
    expect(decodeFrame(within(bytes))).toEqual(frame);
    expect(ours ?? bytes).toEqual(bytes);
  });

  it.each(frames)("[WIRE-2] of %s are refused when cut off or too long", (_what, bytes) => {
    for (let end = 0; end < bytes.length; end++) {
      expect(() => decodeFrame(within(bytes.subarray(0, end)))).toThrow(FrameError);
    }
    expect(() => decodeFrame(Uint8Array.of(...bytes, 0))).toThrow(new FrameError("bytes after the end of the message"));
  });

  const bad: [what: string, bytes: number[], message: string][] = [
    ["nothing", [], "truncated or oversized integer"],
    ["an unknown type", [4, 0], "unknown message type 4"],
    ["an unknown sync step", [0, 3, 0], "unknown sync step 3"],
    ["an unknown auth message", [2, 1, 0], "unknown auth message"],
    ["a reason that is not UTF-8", [2, 0, 1, 0xff], "invalid UTF-8"],
    ["control that is not JSON", [99, 1, 0x7b], "invalid JSON"],
  ];
  it.each(bad)("[WIRE-2] refuses %s, and says why", (_what, bytes, message) => {
    expect(() => decodeFrame(Uint8Array.from(bytes))).toThrow(new FrameError(message));
  });

  it("[WIRE-2] never reads beyond its bytes, whatever they are, and fails in one way only", () => {
    const outcome = (bytes: Uint8Array): unknown => {
      try {
        return decodeFrame(bytes);
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        return error.message;
      }
    };
    const typed = fc
      .tuple(fc.constantFrom(0, 1, 2, 3, 99), fc.uint8Array({ maxLength: 20 }))
      .map(([type, rest]) => Uint8Array.of(type, ...rest));
    fc.assert(
      fc.property(typed, (bytes) => {
        expect(outcome(within(bytes))).toEqual(outcome(bytes));
      }),
      { numRuns: 1_000 },
    );
  });

  it("[ROOM-1] bring a stock document up to date", () => {
    const reader = new Y.Doc();
    for (const frame of [syncStep2Frame(update), updateFrame(Y.encodeStateAsUpdate(withText(" world")))]) {
      const decoder = decoding.createDecoder(frame);
      expect(decoding.readVarUint(decoder)).toBe(0);
      sync.readSyncMessage(decoder, encoding.createEncoder(), reader, null);
    }
    expect(reader.getText("text").toJSON()).toMatch(/^(hello world| worldhello)$/);
    expect(Y.encodeStateVector(new Y.Doc())).toEqual(EMPTY_STATE_VECTOR);
    expect(Y.encodeStateAsUpdate(new Y.Doc())).toEqual(EMPTY_UPDATE);
  });

  it("[LIVE-5] that keep a stock client awake are three bytes of awareness that change nothing", () => {
    expect([...KEEP_ALIVE_FRAME]).toEqual([1, 1, 0]);
    const awareness = new Awareness(new Y.Doc());
    const before = encodeAwarenessUpdate(awareness, [awareness.clientID]);
    let updates = 0;
    awareness.on("update", () => updates++);
    applyAwarenessUpdate(awareness, (decodeFrame(KEEP_ALIVE_FRAME) as Frame & { type: "awareness" }).payload, null);
    expect(updates).toBe(0);
    expect(encodeAwarenessUpdate(awareness, [awareness.clientID])).toEqual(before);
    awareness.destroy();
  });
});

describe("control messages", () => {
  const all: Control[] = [
    { kind: "hello", shard: "shard1", graceMs: 3_000 },
    { kind: "marks", marks: [] },
    {
      kind: "marks",
      marks: [
        [7, "reconnecting", 1_000],
        [8, "silent", 2_000],
        [9, "clear", 3_000],
      ],
    },
    { kind: "manual", manual: { status: "dnd", at: 5 } },
    { kind: "manual", manual: { status: null, at: 5 } },
    { kind: "superseded", session: "s1" },
    {
      kind: "hello",
      shard: "r_1",
      graceMs: 3_000,
      expiresInMs: 0,
      user: { id: "alice", name: "Alice", color: "#123456" },
    },
    { kind: "hello", shard: "r_1", graceMs: 3_000, user: { id: "alice" } },
    {
      kind: "hello",
      shard: "r_1",
      graceMs: 3_000,
      now: 1_764_000_000_000,
      maxState: 65_536,
      maxMeta: 16_384,
      room: "doc",
      grants: ["observe", "presence", "read"],
      session: true,
    },
    { kind: "session", user: { name: "Al" }, copresence: { status: "away" } },
    { kind: "taken", clientId: 7 },
    { kind: "token", token: "eyJ.e30.x" },
    { kind: "access", expiresInMs: 60_000 },
    { kind: "access", expiresInMs: null },
    { kind: "long" },
    { kind: "ping" },
    { kind: "pong" },
  ];
  it.each(all)("are read back as they were written: $kind", (message) => {
    expect(decodeControl(encodeControl(message))).toEqual(message);
    expect(decodeFrame(controlFrame(message))).toEqual({ type: "control", control: message });
    expect(decodeControl(JSON.stringify({ ...message, more: 1 }))).toEqual(message);
  });

  it.each([
    "null",
    "[]",
    "1",
    "{}",
    '{"kind":"hello"}',
    '{"kind":"hello","shard":1,"graceMs":1}',
    '{"kind":"hello","shard":"s","graceMs":"1"}',
    '{"kind":"marks"}',
    '{"kind":"marks","marks":{}}',
    '{"kind":"marks","marks":[[7,"gone",1]]}',
    '{"kind":"marks","marks":[[7,"clear"]]}',
    '{"kind":"marks","marks":[["7","clear",1]]}',
    '{"kind":"marks","marks":[[7,"clear",null]]}',
    '{"kind":"marks","marks":[[7,"clear",1,2]]}',
    '{"kind":"marks","marks":[[7,"clear",1],{"0":7}]}',
    '{"kind":"manual"}',
    '{"kind":"manual","manual":{"status":"online","at":1}}',
    '{"kind":"superseded"}',
    '{"kind":"taken","clientId":"7"}',
    '{"kind":["ping"]}',
    '{"kind":"toString"}',
    '{"__proto__":{"kind":"ping"}}',
  ])("[WIRE-2] are refused when unknown or malformed: %s", (source) => {
    expect(() => decodeControl(source)).toThrow(new FrameError("unknown or malformed control message"));
  });

  it("[WIRE-2] are refused when nested too deep", () => {
    const nested = `{"kind":"ping","more":${"[".repeat(64)}${"]".repeat(64)}}`;
    expect(() => decodeControl(nested)).toThrow("nested too deep");
    expect(decodeControl(nested.replace("[]", ""))).toEqual({ kind: "ping" });
  });
});
