/** Frames that no client would send, and some that one would: what is random about them comes from a seed. */
import * as fc from "fast-check";
import {
  awarenessFrame,
  controlFrame,
  encodeEntries,
  patchFrame,
  syncStep1Frame,
  syncStep2Frame,
  updateFrame,
} from "../../src/wire/index.ts";

const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const uint = fc.oneof(fc.nat({ max: 300 }), fc.nat(), fc.constantFrom(0, 2 ** 31, 2 ** 32, 2 ** 48, 2 ** 53 - 1));

const names = fc.constantFrom("user", "copresence", "cursor", "__proto__", "constructor", "a");
const values = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constant({ id: "alice", name: "Alice" }),
  fc.constant({ id: "__proto__" }),
  fc.constant({ session: "s_bob", status: "online", manual: { status: "invisible", at: 2 ** 53 - 1 }, meta: {} }),
);
const sound = fc.oneof(
  { weight: 3, arbitrary: fc.dictionary(names, values, { maxKeys: 4 }).map((each) => JSON.stringify(each)) },
  { weight: 1, arbitrary: fc.constantFrom("null", "{}", '{"user":{"id":"alice"}}') },
);
const broken = fc.constantFrom("[]", "1", '"', "{", '{"a":1,"a":2}', "\u0000", "[".repeat(200));

/** @param targets client ids of honest people; with some of its own, no more than one connection may have */
function awareness(
  targets: readonly number[],
  state: fc.Arbitrary<string>,
  clock: fc.Arbitrary<number>,
): fc.Arbitrary<Uint8Array> {
  const id = fc.oneof(fc.constantFrom(...targets), fc.nat({ max: 40 }));
  const entry = fc.record({ id, clock, state: state.map((text) => new TextEncoder().encode(text)) });
  return fc.array(entry, { maxLength: 6 }).map((entries) => awarenessFrame(encodeEntries(entries)));
}

const sync = fc.oneof(
  fc.constant(syncStep1Frame(Uint8Array.of(0))),
  bytes(30).map(syncStep1Frame),
  bytes(60).map(syncStep2Frame),
  bytes(60).map(updateFrame),
  fc.constant(updateFrame(Uint8Array.of(0, 0))),
);
const control = fc.constantFrom(
  controlFrame({ kind: "ping" }),
  controlFrame({ kind: "pong" }),
  controlFrame({ kind: "token", token: "x.y.z" }),
  controlFrame({ kind: "superseded", session: "s_bob" }),
);

function mutated(frame: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc.tuple(frame, fc.nat(), fc.nat({ max: 255 }), fc.boolean()).map(([from, at, byte, isCut]) => {
    if (from.length === 0) return from;
    const copy = from.slice(0, isCut ? 1 + (at % from.length) : from.length);
    copy[at % copy.length] = byte;
    return copy;
  });
}

/** Most are well formed, so that those who send them are not closed each time; some are not. */
export function frames(targets: readonly number[]): fc.Arbitrary<Uint8Array> {
  const clock = fc.oneof(fc.nat({ max: 300 }), fc.nat(), fc.constantFrom(0, 2 ** 32, 2 ** 48));
  const said = awareness(targets, sound, clock);
  const patch = fc.tuple(fc.constantFrom(...targets, 1, 2, 3), uint, bytes(20)).map(([id, at, tail]) => {
    const head = patchFrame(id, at, () => {});
    return Uint8Array.from([...head, ...tail]);
  });
  const hostile = fc.oneof(
    awareness(targets, fc.oneof(sound, broken), uint),
    sync,
    control,
    patch,
    mutated(fc.oneof(said, sync, patch)),
    bytes(200),
  );
  const harmless = fc.constantFrom(syncStep1Frame(Uint8Array.of(0)), updateFrame(Uint8Array.of(0, 0)));
  return fc.oneof(
    { weight: 90, arbitrary: said },
    { weight: 6, arbitrary: harmless },
    { weight: 4, arbitrary: hostile },
  );
}
