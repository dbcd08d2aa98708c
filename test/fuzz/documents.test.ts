/**
 * Whatever updates come, in rooms of many kinds: what is taken, stock clients of Yjs take too, those who were there and
 * newcomers; and they end with the same. `npm run fuzz -- --documents 300000` sends more.
 */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import * as Y from "yjs";
import { type Edit, Writers, edits } from "../relay/documents/edits.ts";
import { read, relay, updateOf, writer } from "../relay/documents/relayed.ts";
import { FrameError, sameBytes } from "../../src/wire/index.ts";
import { type Random, seeded } from "../simulation/random.ts";
import { thoroughly } from "../thorough.ts";
import { type Guess, below, hostileUpdate, mutatedUpdate } from "./updates.ts";

const UPDATES = Number(process.env["FUZZ_DOCUMENTS"] ?? thoroughly(1_500, 6_000));
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
/** Updates of one document, at most. */
const MOST = 40;

/** A client with its types, that listens to them as an application does. */
function witness(gc: boolean): Y.Doc {
  const doc = new Y.Doc({ gc });
  for (const type of [doc.getText("text"), doc.getArray("list"), doc.getMap("map"), doc.getXmlFragment("xml")])
    type.observeDeep(() => {});
  doc.on("update", () => {});
  return doc;
}

/** What is in a document, as far as it can be said in order. */
function shapeOf(doc: Y.Doc): string {
  const said = [doc.getText("text"), doc.getArray("list"), doc.getMap("map"), doc.getXmlFragment("xml")].map((type) => {
    try {
      return JSON.stringify(type.toJSON(), (_key, value: unknown) => {
        if (typeof value === "bigint") return `${value}n`;
        if (value instanceof Y.Doc || typeof value !== "object" || value === null || Array.isArray(value)) return value;
        return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
      });
    } catch (error) {
      // such as an XML element in which there is a number: that is for the application that reads it
      return String(error instanceof Error ? error.name : error);
    }
  });
  return JSON.stringify(said);
}

function makeUpdate(
  random: Random,
  kind: "hostile" | "real" | "mutated",
  updates: readonly Uint8Array[],
  guess: Guess,
): Uint8Array {
  if (kind === "hostile") return hostileUpdate(random, guess);
  const some = updates.filter(() => random.chance(0.2));
  const real = some.length > 1 && random.chance(0.3) ? Y.mergeUpdates(some) : random.pick(updates);
  return kind === "real" ? real : mutatedUpdate(random, real);
}

function play(random: Random, list: readonly Edit[]): { readonly sent: number; readonly taken: number } {
  const gc = random.chance(0.7);
  const rooms = relay({ documentGc: gc });
  let { document, told } = rooms.open();
  const alice = writer();
  const mallory = writer();
  const listener = witness(gc);
  const later: Uint8Array[] = [];
  const people = new Writers(gc);
  const guess: Guess = { clients: [1, 2, 5, 10, 17], clocks: new Map() };
  const count = 1 + below(random, MOST);
  let taken = 0;
  // of insertions whose neighbours were never in that order Yjs does not promise which place they get
  let isHonest = true;
  const isStrict = random.chance(0.3);
  for (let i = 0; i < count; i++) {
    const edit = list[i % Math.max(1, list.length)];
    if (edit !== undefined && random.chance(0.6)) people.make(edit);
    const real = people.updates.at(-1);
    if (isStrict && real === undefined) continue;
    const kind = isStrict ? "real" : random.pick(["hostile", "hostile", "real", "mutated"] as const);
    const update = makeUpdate(random, real === undefined ? "hostile" : kind, people.updates, guess);
    const before = document.ask();
    try {
      document.apply(update, random.chance(0.5) ? alice : mallory);
      taken++;
      if (!isStrict) isHonest = false;
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      // nothing of it is taken, and nobody is told
      if (told.length > 0 || !sameBytes(document.ask(), before)) throw new Error("half taken", { cause: error });
    }
    for (const { update: news } of told.splice(0)) {
      Y.applyUpdate(listener, news);
      later.push(news);
      if (listener.store.pendingStructs !== null) throw new Error("told too early");
    }
    if (random.chance(0.05)) {
      document.close();
      ({ document, told } = rooms.open());
    }
    if (random.chance(0.1)) read(document, listener);
  }
  const newcomer = read(document, witness(gc));
  expect(newcomer.store.pendingStructs).toBeNull();
  expect(newcomer.store.pendingDs).toBeNull();
  const backwards = witness(gc);
  for (const update of later.toReversed()) Y.applyUpdate(backwards, update);
  const merged = witness(gc);
  if (later.length > 0) Y.applyUpdate(merged, Y.mergeUpdates(later));
  read(document, listener);
  const vector = Y.encodeStateVector(newcomer);
  const shape = shapeOf(newcomer);
  for (const doc of [listener, backwards, merged]) {
    read(document, doc);
    expect(Y.encodeStateVector(doc)).toEqual(vector);
    expect(isHonest ? shapeOf(doc) : shape).toBe(shape);
    // and a client that has it can give it on
    Y.applyUpdate(witness(gc), Y.encodeStateAsUpdate(doc));
  }
  document.close();
  const [packet] = rooms.open().document.sync(Uint8Array.of(0));
  if (packet !== undefined) Y.applyUpdate(witness(gc), updateOf(packet));
  expect(rooms.warnings).toEqual([]);
  return { sent: count, taken };
}

it(
  `[DOC-1] [DOC-2] [DOC-5] [DOC-19] ${UPDATES} updates of all kinds disturb nobody who reads them`,
  { timeout: 36_000_000 },
  () => {
    const total = { sent: 0, taken: 0, rooms: 0 };
    for (let room = 0; total.sent < UPDATES; room++) {
      const seed = SEED * 1_000_003 + room;
      const [list = []] = fc.sample(edits(25), { numRuns: 1, seed });
      try {
        const { sent, taken } = play(seeded(seed), list);
        total.sent += sent;
        total.taken += taken;
      } catch (error) {
        throw new Error(`document of seed ${seed}`, { cause: error });
      }
      total.rooms++;
    }
    console.log(`${total.sent} updates sent to ${total.rooms} documents, ${total.taken} taken`);
    expect(total.taken).toBeGreaterThan(UPDATES / 4);
  },
);
