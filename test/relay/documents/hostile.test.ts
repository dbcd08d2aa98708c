import { expect, it, onTestFinished, vi } from "vitest";
import * as Y from "yjs";
import { FrameError } from "../../../src/wire/index.ts";
import { after, inRoot, inType, rawUpdate, text, uint } from "./raw-update.ts";
import { read, relay, writer } from "./relayed.ts";

const one = (struct: readonly number[], clock = 0): Uint8Array => rawUpdate([{ client: 5, clock, structs: [struct] }]);
const anyObject = (...entries: number[][]): number[] => [118, entries.length, ...entries.flat()];
const deep = (levels: number): number[] => [...Array.from({ length: levels }, () => [117, 1]).flat(), 126];

const MALFORMED: Readonly<Record<string, Uint8Array>> = {
  "garbage of length 0": one([0, 0]),
  "a gap of length 0": one([10, 0]),
  "a deleted item of length 0": one(inRoot(1, 0)),
  "an empty text": one(inRoot(4, 0)),
  "no values": one(inRoot(8, 0)),
  "no JSON": one(inRoot(2, 0)),
  "garbage with flags, which Yjs reads in two ways": one([128, 1]),
  "a gap with flags": one([138, 1]),
  "a client twice": rawUpdate([
    { client: 5, clock: 0, structs: [[0, 1]] },
    { client: 5, clock: 1, structs: [[0, 1]] },
  ]),
  "a client twice in its deletions": rawUpdate(
    [],
    [
      { client: 5, ranges: [[0, 1]] },
      { client: 5, ranges: [[1, 1]] },
    ],
  ),
  "a deletion of nothing": rawUpdate([], [{ client: 5, ranges: [[0, 0]] }]),
  "deletions that overlap": rawUpdate(
    [],
    [
      {
        client: 5,
        ranges: [
          [4, 4],
          [0, 5],
        ],
      },
    ],
  ),
  "an origin that comes later": one(after(4, 5, 3, ...text("x"))),
  "itself as its parent": one(inType(4, 5, 0, ...text("x"))),
  "a clock beyond the safe integers": one([0, ...uint(2 ** 53 - 1)], 1),
  "a number without an end": Uint8Array.from([1, 1, ...Array.from({ length: 200 }, () => 128), 0]),
  "more structs than there are": Uint8Array.from([1, 200, 1, 5, 0, 0, 1, 0]),
  "bytes after its end": Uint8Array.from([...one([0, 1]), 0]),
  "no deletions": one([0, 1]).subarray(0, -1),
  "a text that is cut": one(inRoot(4, 9, 120)),
  "a text that is half a surrogate pair": one(inRoot(4, 3, 0xed, 0xa0, 0xbd)),
  "a text with overlong bytes": one(inRoot(4, 2, 0xc0, 0x80)),
  "JSON that is none": one(inRoot(5, ...text("{"))),
  "JSON that is nested too deep": one(inRoot(6, ...text("b"), ...text(`${"[".repeat(300)}${"]".repeat(300)}`))),
  "values that are nested too deep": one(inRoot(8, 1, ...deep(300))),
  "a value of an unknown kind": one(inRoot(8, 1, 40)),
  "bytes as the prototype of a value, which could not be written again": one(
    inRoot(8, 1, ...anyObject([...text("__proto__"), 116, 1, 7])),
  ),
  "an unknown type": one(inRoot(7, 7)),
  "an unknown kind of content": one(inRoot(11, 1)),
  "a parent that is neither a root nor an id": one([4, 2, ...text("t"), ...text("x")]),
  "a subdocument without options": one(inRoot(9, ...text("g"), 126)),
  "a subdocument with an id that is no text": one(inRoot(9, ...text("g"), ...anyObject([...text("guid"), 125, 1]))),
};

it.each(Object.entries(MALFORMED))("[DOC-1] [DOC-2] refuses an update with %s, and nobody is told", (_name, update) => {
  const { document, told } = relay().open();
  const alice = new Y.Doc();
  alice.getText("t").insert(0, "hello");
  document.apply(Y.encodeStateAsUpdate(alice), writer());
  told.splice(0);
  expect(() => document.apply(update, writer())).toThrow(FrameError);
  expect(told).toEqual([]);
  expect(read(document).getText("t").toString()).toBe("hello");
});

it("[DOC-3] holds what builds on each other in a circle, which nothing can ever be built on", () => {
  const { document, told } = relay().open();
  const circle = rawUpdate([
    { client: 5, clock: 0, structs: [after(4, 6, 1, ...text("a")), after(4, 5, 0, ...text("b"))] },
    { client: 6, clock: 0, structs: [after(4, 5, 1, ...text("c")), after(4, 6, 0, ...text("d"))] },
  ]);
  document.apply(circle, writer());
  expect(told).toEqual([]);
  expect(read(document).store.clients.size).toBe(0);
});

function refusalOf(run: () => void): number | null {
  try {
    run();
    return null;
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    return error.code;
  }
}

/** Processor time of something, ms. */
function costOf(run: () => void): number {
  const startedAt = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(startedAt);
  return (user + system) / 1000;
}

const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

it("[DOC-6] refuses more insertions and subdocuments than an update may have, before Yjs makes anything of them", () => {
  const bombs = [
    rawUpdate([{ client: 5, clock: 0, structs: many(60_000, () => [0, 1]) }]),
    rawUpdate([{ client: 5, clock: 0, structs: many(3_000, () => inRoot(9, ...text("g"), 118, 0)) }]),
    rawUpdate([{ client: 5, clock: 0, structs: [[...inRoot(8, ...uint(450_000)), ...many(450_000, () => 126)]] }]),
    rawUpdate([], [{ client: 5, ranges: many(120_000, (i) => [2 * i, 1]) }]),
  ];
  for (const bomb of bombs) {
    const { document, told } = relay({ maxUpdateStructs: 50_000 }).open();
    let code: number | null = null;
    expect(costOf(() => (code = refusalOf(() => document.apply(bomb, writer()))))).toBeLessThan(500);
    expect(code).toBe(4413);
    expect(told).toEqual([]);
    expect(document.hasContent).toBe(false);
  }
});

it("[DOC-17] refuses what would make a document too large, and goes on with what it has", () => {
  const { document } = relay({ maxDocumentStructs: 1_000, maxSubdocuments: 10 }).open();
  const take = (update: Uint8Array): number | null => refusalOf(() => document.apply(update, writer()));
  const some = (clock: number, count: number): Uint8Array =>
    rawUpdate([{ client: 5, clock, structs: many(count, () => inRoot(4, ...text("x"))) }]);
  expect(take(some(0, 900))).toBeNull();
  expect(take(some(900, 600))).toBe(4413);
  expect(take(some(900, 50))).toBeNull();
  const subdocuments = (client: number, count: number): Uint8Array =>
    rawUpdate([{ client, clock: 0, structs: many(count, () => inRoot(9, ...text("g"), 118, 0)) }]);
  expect(take(subdocuments(6, 8))).toBeNull();
  expect(take(subdocuments(7, 8))).toBe(4413);
  expect(read(document).getText("t").length).toBe(958);
});

it("[DOC-18] does not count as large what somebody typed letter by letter", () => {
  const { document } = relay({ maxDocumentStructs: 1_000 }).open();
  const alice = new Y.Doc();
  const me = writer();
  alice.on("update", (update: Uint8Array) => document.apply(update, me));
  for (let i = 0; i < 5_000; i++) alice.getText("t").insert(i, "x");
  for (let i = 0; i < 2_000; i++) alice.getMap("m").set("cursor", { i });
  expect(read(document).getText("t").length).toBe(5_000);
});

it("[DOC-16] gives up an update that takes Yjs very long, and nothing of it stays", () => {
  const { document, told } = relay().open();
  document.apply(rawUpdate([{ client: 1, clock: 0, structs: [inRoot(4, ...text("hello"))] }]), writer());
  told.splice(0);
  const update = rawUpdate([{ client: 9, clock: 0, structs: many(5_000, () => inRoot(4, ...text("x"))) }]);
  // each look at the clock is a fifth of a second later
  let user = 0;
  vi.spyOn(process, "cpuUsage").mockImplementation(() => ({ user: (user += 200_000), system: 0 }));
  let clock = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (clock += 200));
  onTestFinished(() => void vi.restoreAllMocks());
  expect(refusalOf(() => document.apply(update, writer()))).toBe(4413);
  expect(told).toEqual([]);
  expect(read(document).getText("t").toString()).toBe("hello");
});

it("[DOC-16] stops Yjs in the midst of structs that each take as long as the document is large", () => {
  const { document, told } = relay().open();
  // each is put before all that are there already, and Yjs walks past them one by one
  const atTheBeginning = (client: number, count: number): Uint8Array =>
    rawUpdate([{ client, clock: 0, structs: many(count, () => inRoot(4, ...text("x"))) }]);
  document.apply(atTheBeginning(1, 30_000), writer());
  told.splice(0);
  let code: number | null = null;
  const ms = costOf(() => (code = refusalOf(() => document.apply(atTheBeginning(900, 2_000), writer()))));
  expect(code).toBe(4413);
  // half a second, and what it takes to make the document again
  expect(ms).toBeLessThan(2_000);
  expect(told).toEqual([]);
  expect(read(document).getText("t").length).toBe(30_000);
});

it("[DOC-7] refuses types that are nested too deep to be deleted", () => {
  const { document, told } = relay().open();
  const chain = (levels: number): Uint8Array =>
    rawUpdate([
      { client: 5, clock: 0, structs: many(levels, (i) => (i === 0 ? inRoot(7, 0) : inType(7, 5, i - 1, 0))) },
    ]);
  for (const levels of [300, 20_000]) expect(() => document.apply(chain(levels), writer())).toThrow(FrameError);
  expect(told).toEqual([]);
  document.apply(chain(200), writer());
  document.apply(rawUpdate([], [{ client: 5, ranges: [[0, 1]] }]), writer());
  expect(read(document).getArray("t").length).toBe(0);
});

it("[DOC-4] [DOC-13] bounds what waits, and one who sends little is not refused for what another sent", () => {
  const { document } = relay({ maxPendingStructs: 100 }).open();
  const alice = writer();
  const waiting = (client: number): Uint8Array => rawUpdate([{ client, clock: 5, structs: [[0, 1]] }]);
  for (let m = 0; m < 10; m++) {
    const mallory = writer();
    for (let i = 0; i < 100; i++) document.apply(waiting(1_000 + m * 1_000 + i), mallory);
    expect(refusalOf(() => document.apply(waiting(99_000 + m), mallory))).toBe(4413);
  }
  expect(
    refusalOf(() => document.apply(rawUpdate([], [{ client: 7, ranges: many(50_000, (i) => [2 * i, 1]) }]), writer())),
  ).toBe(4413);
  document.apply(waiting(5), alice);
  document.apply(rawUpdate([{ client: 5, clock: 0, structs: [inRoot(4, ...text("hello"))] }]), alice);
  expect(Y.getState(read(document).store, 5)).toBe(6);
});

it("[DOC-14] takes a small update in the same time, however much waits", () => {
  const { document } = relay().open();
  const mallory = writer();
  for (let i = 0; i < 5_000; i++)
    document.apply(rawUpdate([{ client: 1_000 + i, clock: 5, structs: [[0, 1]] }]), mallory);
  document.apply(rawUpdate([], [{ client: 7, ranges: many(4_900, (i) => [2 * i, 1]) }]), mallory);
  const alice = writer();
  const ms = costOf(() => {
    for (let i = 0; i < 1_000; i++) document.apply(rawUpdate([{ client: 9, clock: i, structs: [[0, 1]] }]), alice);
  });
  expect(ms).toBeLessThan(1_000);
});

it("[DOC-9] answers who has all of a large document at little cost, also while it changes", () => {
  const { document } = relay().open();
  const count = 60_000;
  const me = writer();
  document.apply(
    rawUpdate([{ client: 5, clock: 0, structs: many(count, (i) => (i % 2 === 0 ? inRoot(1, 1) : [0, 1])) }]),
    me,
  );
  document.apply(rawUpdate([{ client: 6, clock: 0, structs: [[0, 1]] }]), me);
  const known = Uint8Array.from([2, 6, ...uint(1), 5, ...uint(count)]);
  document.sync(known);
  const ms = costOf(() => {
    for (let i = 0; i < 500; i++) document.sync(known);
    for (let i = 1; i < 200; i++) {
      document.apply(rawUpdate([{ client: 6, clock: i, structs: [[0, 1]] }]), me);
      document.sync(known);
    }
  });
  expect(ms).toBeLessThan(1_000);
});

it.each(["ask", "sync", "close"] as const)(
  "[DOC-19] goes on with its last good encoding when Yjs fails (%s)",
  (phase) => {
    const rooms = relay();
    const { document } = rooms.open();
    const alice = new Y.Doc();
    alice.getText("t").insert(0, "hello");
    document.apply(Y.encodeStateAsUpdate(alice), writer());
    const write = vi.spyOn(Y.Item.prototype, "write");
    let fails = 1;
    Y.Item.prototype.write = function (...args) {
      if (fails-- > 0) throw new Error("cannot be encoded");
      write.apply(this, args);
    };
    try {
      if (phase === "ask") document.ask();
      else if (phase === "sync") document.sync(Uint8Array.of(0));
      document.close();
    } finally {
      Y.Item.prototype.write = write;
    }
    expect(read(rooms.open().document).getText("t").toString()).toBe("hello");
  },
);

/** While this runs, Yjs can read documents, and write none. */
function whileNothingCanBeEncoded<T>(run: () => T): T {
  const write = vi.spyOn(Y.Item.prototype, "write").mockImplementation(() => {
    throw new Error("cannot be encoded");
  });
  try {
    return run();
  } finally {
    write.mockRestore();
  }
}

const UNENCODED = "the document of doc could not be encoded, and is kept as it was written";

it("[DOC-12] keeps what was written since the last good encoding when a document cannot be encoded as its room is left, and says so", () => {
  const rooms = relay();
  const alice = new Y.Doc();
  const says = (words: string): void => {
    const before = Y.encodeStateVector(alice);
    alice.getText("t").insert(alice.getText("t").length, words);
    document.apply(Y.encodeStateAsUpdate(alice, before), writer());
  };
  let { document } = rooms.open();
  says("kept");
  document.close();
  ({ document } = rooms.open());
  says(" and");
  says(" kept");
  expect(rooms.warnings).toEqual([]);
  whileNothingCanBeEncoded(() => document.close());
  expect(rooms.warnings.map(({ message }) => message)).toEqual([UNENCODED]);
  expect(rooms.warnings[0]?.cause).toEqual(new Error("cannot be encoded"));
  expect(rooms.documents.memory.counts).toMatchObject({ open: 0, kept: 1 });

  // one who knows nothing, one who knows a part, and one who writes on
  ({ document } = rooms.open());
  expect(read(document).getText("t").toString()).toBe("kept and kept");
  const bob = new Y.Doc();
  bob.getText("t").insert(0, "Bob: ");
  expect(read(document, bob).getText("t").length).toBe("Bob: kept and kept".length);
  says(" again");
  expect(read(document).getText("t").toString()).toBe("kept and kept again");
  document.close();
  expect(read(rooms.open().document).getText("t").toString()).toBe("kept and kept again");
  expect(rooms.warnings).toHaveLength(1);
});

it("[DOC-12] hands out all of a document that cannot be encoded, and says so", () => {
  const rooms = relay();
  const { document } = rooms.open();
  const alice = new Y.Doc();
  alice.on("update", (update: Uint8Array) => document.apply(update, writer()));
  alice.getText("t").insert(0, "hello");
  alice.getText("t").insert(5, " world");
  const bob = whileNothingCanBeEncoded(() => read(document));
  expect(bob.getText("t").toString()).toBe("hello world");
  expect(rooms.warnings.map(({ message }) => message)).toContain(UNENCODED);
  expect(bob.store.pendingStructs).toBeNull();
});

it("[DOC-5] [DOC-19] refuses an update that Yjs fails at, and what was there before stays", () => {
  const { document, told } = relay().open();
  const alice = new Y.Doc();
  alice.getText("t").insert(0, "hello");
  document.apply(Y.encodeStateAsUpdate(alice), writer());
  told.splice(0);
  const check = vi.spyOn(Y.Item.prototype, "getMissing");
  onTestFinished(() => check.mockRestore());
  const update = rawUpdate([{ client: 7, clock: 0, structs: many(9, () => inRoot(4, ...text("evil"))) }]);
  check
    .mockReturnValueOnce(null)
    .mockReturnValueOnce(null)
    .mockImplementationOnce(() => {
      throw new Error("cannot be integrated");
    });
  expect(() => document.apply(update, writer())).toThrow(FrameError);
  expect(told).toEqual([]);
  expect(read(document).getText("t").toString()).toBe("hello");
  document.apply(rawUpdate([{ client: 7, clock: 0, structs: [inRoot(4, ...text("!"))] }]), writer());
  expect(read(document).getText("t").length).toBe(6);
});

it("[DOC-10] [DOC-20] [DOC-25] refuses new documents when those that are kept take too much, keeps all there are, and says so once", () => {
  const rooms = relay({ maxDocuments: 20_000 });
  const letters = (count: number): Uint8Array =>
    rawUpdate([{ client: 5, clock: 0, structs: [inRoot(4, ...text("x".repeat(count)))] }]);
  for (let i = 0; i < 3; i++) {
    const { document } = rooms.open(`room${i}`);
    document.apply(letters(9_000), writer());
    document.close();
  }
  expect(rooms.documents.memory.counts).toMatchObject({ open: 0, kept: 3 });
  for (let i = 0; i < 2; i++) {
    const { document } = rooms.open(`new${i}`);
    expect(refusalOf(() => document.apply(letters(10), writer()))).toBe(4503);
    expect(read(document).getText("t").length).toBe(0);
    document.close();
  }
  expect(rooms.warnings.map(({ message }) => message)).toEqual([expect.stringContaining("no room for new documents")]);
  for (let i = 0; i < 3; i++) expect(read(rooms.open(`room${i}`).document).getText("t").length).toBe(9_000);
  // one that there is may still be written
  const { document } = rooms.open("room0");
  document.apply(rawUpdate([{ client: 6, clock: 0, structs: [inRoot(4, ...text("!"))] }]), writer());
  expect(read(document).getText("t").length).toBe(9_001);
  // but not without an end
  const refusals = Array.from({ length: 3 }, (_, i) =>
    refusalOf(() =>
      document.apply(
        rawUpdate([{ client: 7 + i, clock: 0, structs: [inRoot(4, ...text("x".repeat(9_000)))] }]),
        writer(),
      ),
    ),
  );
  expect(refusals).toEqual([null, 4503, 4503]);
});

it("[DOC-10] [DOC-21] counts what a document takes, however little is in it", () => {
  const letter = one(inRoot(4, ...text("x")));
  const roomsThatFit = (andLeave: boolean): number => {
    const rooms = relay({ maxDocuments: 60_000 });
    for (let i = 0; i < 1_000; i++) {
      const { document } = rooms.open(`room${i}`);
      if (refusalOf(() => document.apply(letter, writer())) === 4503) return i;
      if (andLeave) document.close();
    }
    return 1_000;
  };
  // some 600 bytes for each that is kept, and 5 KB for the Y.Doc of each that is open
  expect(roomsThatFit(true)).toBeLessThan(120);
  expect(roomsThatFit(false)).toBeLessThan(15);
});

it("[DOC-8] makes nothing of a document for those who only read all of it", () => {
  const rooms = relay();
  const { document } = rooms.open();
  document.apply(rawUpdate([{ client: 5, clock: 0, structs: [inRoot(4, ...text("hello"))] }]), writer());
  document.close();
  const visited = rooms.open().document;
  expect(read(visited).getText("t").toString()).toBe("hello");
  expect(rooms.documents.memory.counts).toMatchObject({ open: 0, kept: 1 });
  visited.close();
  expect(rooms.documents.memory.counts).toMatchObject({ open: 0, kept: 1 });
});

it("[DOC-11] keeps what is deleted after one with a history was there, though they wrote nothing", () => {
  const rooms = relay();
  const { document } = rooms.open();
  const alice = new Y.Doc({ gc: false });
  const me = writer();
  alice.getText("t").insert(0, "first version");
  document.apply(Y.encodeStateAsUpdate(alice), me);
  document.close();
  const visited = rooms.open().document;
  visited.keepHistory();
  visited.close();
  const edited = rooms.open().document;
  const snapshot = Y.snapshot(alice);
  alice.on("update", (update: Uint8Array) => edited.apply(update, me));
  alice.getText("t").delete(0, 13);
  const bob = read(edited, new Y.Doc({ gc: false }));
  expect(Y.createDocFromSnapshot(bob, snapshot).getText("t").toString()).toBe("first version");
});

it("[DOC-11] keeps what was deleted, for those who go back to it, if it is told to", () => {
  for (const documentGc of [true, false]) {
    const rooms = relay({ documentGc });
    const { document } = rooms.open();
    const alice = new Y.Doc({ gc: false });
    const me = writer();
    alice.on("update", (update: Uint8Array) => document.apply(update, me));
    alice.getText("t").insert(0, "first version");
    const snapshot = Y.snapshot(alice);
    alice.getText("t").delete(0, 13);
    alice.getText("t").insert(0, "second");
    document.close();
    const bob = read(rooms.open().document, new Y.Doc({ gc: false }));
    expect(Y.createDocFromSnapshot(bob, snapshot).getText("t").toString()).toBe(documentGc ? "" : "first version");
  }
});
