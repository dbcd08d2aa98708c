/** Document updates that no client would write: put together struct by struct, or real ones with something changed. */
import * as encoding from "lib0/encoding";
import type { Random } from "../simulation/random.ts";

const ROOTS = ["text", "list", "map", "xml", "t"] as const;
const KEYS = ["a", "b", "__proto__", ""] as const;
const TEXTS = [
  "",
  "x",
  "hello",
  "\u{1f600}",
  "é",
  "\ufeff",
  "[".repeat(300),
  "undefined",
  "{}",
  '{"a":[1]}',
  "null",
  "1e999",
] as const;

/** What the document may know by now: of some clients, about so many clocks. */
export interface Guess {
  readonly clients: readonly number[];
  readonly clocks: Map<number, number>;
}

/** Writes structs that mostly fit, so that they get far; some do not. */
export function hostileUpdate(random: Random, guess: Guess): Uint8Array {
  const strange = random.chance(0.15);
  const uint = (encoder: encoding.Encoder, value: number): void => {
    if (strange && random.chance(0.02))
      encoding.writeUint8Array(
        encoder,
        Uint8Array.from({ length: below(random, 160) }, () => 128),
      );
    encoding.writeVarUint(
      encoder,
      strange && random.chance(0.03) ? random.pick([0, 1, 127, 2 ** 31, 2 ** 53 - 1]) : value,
    );
  };
  return encoding.encode((encoder) => {
    const clients = strange && random.chance(0.1) ? [1, 1] : pickSome(random, guess.clients);
    uint(encoder, clients.length);
    for (const client of clients) {
      const count = 1 + below(random, 6);
      const known = guess.clocks.get(client) ?? 0;
      let clock = Math.max(0, known + (random.chance(0.7) ? 0 : below(random, 7) - 3));
      uint(encoder, count);
      uint(encoder, client);
      uint(encoder, clock);
      for (let i = 0; i < count; i++) clock += writeStruct(encoder, random, guess, client, clock, uint, strange);
      if (random.chance(0.8)) guess.clocks.set(client, Math.max(known, clock));
    }
    const deleted = random.chance(0.5) ? pickSome(random, guess.clients) : [];
    uint(encoder, deleted.length);
    for (const client of deleted) {
      const count = 1 + below(random, 3);
      uint(encoder, client);
      uint(encoder, count);
      let clock = below(random, 4);
      for (let i = 0; i < count; i++) {
        const length = 1 + below(random, 5);
        uint(encoder, clock);
        uint(encoder, strange && random.chance(0.1) ? 0 : length);
        clock += length + (strange ? below(random, 3) - 1 : 1 + below(random, 3));
      }
    }
    if (strange && random.chance(0.05)) encoding.writeUint8(encoder, 0);
  });
}

type WriteUint = (encoder: encoding.Encoder, value: number) => void;

function writeStruct(
  encoder: encoding.Encoder,
  random: Random,
  guess: Guess,
  client: number,
  clock: number,
  uint: WriteUint,
  strange: boolean,
): number {
  const kind =
    strange && random.chance(0.05)
      ? below(random, 32)
      : random.pick([0, 1, 2, 3, 4, 4, 4, 5, 6, 6, 7, 7, 7, 8, 8, 9, 10]);
  const length = strange && random.chance(0.05) ? 0 : 1 + below(random, 4);
  if (kind === 0 || kind === 10) {
    encoding.writeUint8(encoder, kind | (strange && random.chance(0.05) ? 128 : 0));
    uint(encoder, length);
    return length;
  }
  const hasOrigin = random.chance(0.5);
  const hasRight = random.chance(0.3);
  const hasKey = random.chance(0.3);
  encoding.writeUint8(encoder, kind | (hasOrigin ? 128 : 0) | (hasRight ? 64 : 0) | (hasKey ? 32 : 0));
  const id = (): void => {
    const of = random.chance(0.5) ? client : random.pick(guess.clients);
    const known = of === client ? clock : (guess.clocks.get(of) ?? 0);
    uint(encoder, of);
    uint(encoder, Math.max(0, random.chance(0.9) ? below(random, Math.max(1, known)) : known + below(random, 3)));
  };
  if (hasOrigin) id();
  if (hasRight) id();
  if (!hasOrigin && !hasRight) {
    const isRoot = random.chance(0.5);
    uint(encoder, isRoot ? 1 : 0);
    if (isRoot) encoding.writeVarString(encoder, random.pick(ROOTS));
    else id();
    if (hasKey) encoding.writeVarString(encoder, random.pick(KEYS));
  }
  return writeContent(encoder, random, kind, length, uint, strange);
}

function writeContent(
  encoder: encoding.Encoder,
  random: Random,
  kind: number,
  length: number,
  uint: WriteUint,
  strange: boolean,
): number {
  const json = (): void => {
    const sound = ["{}", '{"a":[1]}', "null", "true", '"x"'];
    encoding.writeVarString(encoder, random.pick(strange ? TEXTS : sound));
  };
  switch (kind) {
    case 1:
      uint(encoder, length);
      return length;
    case 2:
      uint(encoder, length);
      for (let i = 0; i < length; i++) json();
      return length;
    case 3:
      encoding.writeVarUint8Array(encoder, Uint8Array.of(1, 2));
      return 1;
    case 4: {
      const text = strange && random.chance(0.2) ? "" : random.pick(["x", "hello", "\u{1f600}", "é\n", "ab".repeat(9)]);
      encoding.writeVarString(encoder, text);
      return text.length;
    }
    case 5:
      json();
      return 1;
    case 6:
      encoding.writeVarString(encoder, random.pick(["bold", "em", "__proto__"]));
      json();
      return 1;
    case 7: {
      const type = strange && random.chance(0.1) ? 7 + below(random, 4) : below(random, 7);
      uint(encoder, type);
      if (type === 3 || type === 5) encoding.writeVarString(encoder, random.pick(["p", "", "a b"]));
      return 1;
    }
    case 8:
      uint(encoder, length);
      for (let i = 0; i < length; i++) writeAny(encoder, random, 0, strange);
      return length;
    default:
      encoding.writeVarString(encoder, random.pick(["g", "", "guid-1"]));
      if (strange && random.chance(0.2)) writeAny(encoder, random, 0, strange);
      else {
        encoding.writeUint8(encoder, 118);
        const names = pickSome(
          random,
          strange ? ["gc", "guid", "gcFilter", "meta", "__proto__"] : ["gc", "autoLoad", "meta", "shouldLoad"],
        );
        uint(encoder, names.length);
        for (const name of names) {
          encoding.writeVarString(encoder, name);
          writeAny(encoder, random, 1, strange);
        }
      }
      return 1;
  }
}

function writeAny(encoder: encoding.Encoder, random: Random, depth: number, strange: boolean): void {
  const kind =
    strange && random.chance(0.05) ? below(random, 256) : (depth > 3 ? 119 : 116) + below(random, depth > 3 ? 9 : 12);
  encoding.writeUint8(encoder, kind);
  switch (kind) {
    case 125:
      return encoding.writeVarInt(encoder, below(random, 1000) - 500);
    case 124:
      return encoding.writeFloat32(encoder, 0.5);
    case 123:
      return encoding.writeFloat64(encoder, random.pick([0.1, NaN, Infinity, -0, 2 ** 60]));
    case 122:
      return encoding.writeBigInt64(encoder, 5n);
    case 119:
      return encoding.writeVarString(encoder, "x");
    case 118: {
      const names = pickSome(random, KEYS);
      encoding.writeVarUint(encoder, names.length);
      for (const name of names) {
        encoding.writeVarString(encoder, name);
        writeAny(encoder, random, depth + 1, strange);
      }
      return;
    }
    case 117: {
      const length = below(random, 3);
      encoding.writeVarUint(encoder, length);
      for (let i = 0; i < length; i++) writeAny(encoder, random, depth + 1, strange);
      return;
    }
    case 116:
      return encoding.writeVarUint8Array(encoder, Uint8Array.of(7));
  }
}

/** A real update with a byte, a stretch or its end changed. */
export function mutatedUpdate(random: Random, update: Uint8Array): Uint8Array {
  const copy = update.slice(0, random.chance(0.1) ? below(random, update.length + 1) : update.length);
  if (copy.length === 0) return copy;
  const changes = 1 + below(random, 3);
  for (let i = 0; i < changes; i++) {
    const at = below(random, copy.length);
    const old = copy[at] ?? 0;
    if (random.chance(0.2)) copy.copyWithin(at, below(random, copy.length), below(random, copy.length));
    else copy[at] = random.chance(0.5) ? old + random.pick([1, -1]) : below(random, 256);
  }
  return copy;
}

function pickSome<T>(random: Random, from: readonly T[]): T[] {
  return from.filter(() => random.chance(0.4));
}

/** A whole number from 0, below `count`. */
export function below(random: Random, count: number): number {
  return count <= 1 ? 0 : random.int(0, count - 1);
}
