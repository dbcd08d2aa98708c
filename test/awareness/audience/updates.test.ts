import { describe, expect, it } from "vitest";
import { type Author, type Kind, type PresentEntry } from "../../../src/awareness/index.ts";
import { type StateUpdate, Updates, nudges } from "../../../src/awareness/audience/index.ts";
import { readState } from "../../../src/presence/index.ts";
import { StateBytes } from "../../../src/wire/index.ts";

const state = new StateBytes(new Map());

function entryOf(id: number, clock: number, given: Partial<PresentEntry> = {}): PresentEntry {
  return {
    phase: "live",
    id,
    room: "doc",
    clock,
    authoredState: state,
    publishedState: state,
    weight: 0,
    claim: readState(id, {}, "doc")!,
    lobby: "@lobby",
    address: "here",
    owner: null,
    user: null,
    lastSeen: 0,
    corrected: null,
    visible: true,
    mark: "clear",
    isRemote: false,
    isStock: true,
    heldAt: 0,
    remote: null,
    publication: null,
    ...given,
  };
}

/** What was sent: id and clock, a clock that is negative for an end. */
function setup() {
  const updates = new Updates(() => Date.now());
  return {
    updates,
    flush: (now: number): [number, number][] =>
      updates
        .takeChanges(now)
        .map(({ publication, clock, state: sent }) => [publication.id, sent === null ? -clock : clock]),
    clocks: (sent: readonly StateUpdate[]): [number, number][] =>
      sent.map(({ publication, clock }) => [publication.id, clock]),
  };
}

describe("[LIVE-10] the clocks that observers are sent", () => {
  it("start at the time, above those of a former relay, and rise with each change", () => {
    const before = Date.now();
    const entry = entryOf(1, 5);
    const { updates, flush } = setup();
    expect(entry.publication).toBeNull();
    updates.changed(entry);
    const [[, first]] = flush(0) as [[number, number]];
    expect(first).toBeGreaterThanOrEqual(before);
    updates.changed(entry);
    expect(flush(0)).toEqual([[1, first + 1]]);
    // the end takes no clock of its own, but who comes after it does
    updates.removed(entry);
    expect(flush(0)).toEqual([[1, -(first + 1)]]);
    updates.changed(entry);
    expect(flush(0)).toEqual([[1, first + 2]]);
  });

  it("are the author's where those are higher", () => {
    const entry = entryOf(1, 2 ** 47);
    const { updates, flush } = setup();
    updates.changed(entry);
    expect(flush(0)).toEqual([[1, 2 ** 47]]);
    entry.clock += 7;
    updates.changed(entry);
    expect(flush(0)).toEqual([[1, 2 ** 47 + 7]]);
  });

  it("[BUS-6] go on from the time when a client speaks through another connection", () => {
    const entry = entryOf(1, 5);
    const { updates, flush } = setup();
    updates.claimed(entry);
    expect(entry.publication).toBeNull();
    updates.changed(entry);
    flush(0);
    entry.publication!.clock = 7;
    const before = Date.now();
    updates.claimed(entry);
    updates.changed(entry);
    const [[, told]] = flush(0) as [[number, number]];
    expect(told).toBeGreaterThan(before);
    entry.publication!.clock = 2 ** 47;
    updates.claimed(entry);
    expect(entry.publication!.clock).toBe(2 ** 47);
  });

  it("are new for whom may have been here when a state was last sent", () => {
    const [old, recent] = [entryOf(1, 2 ** 47), entryOf(2, 2 ** 47)];
    const { updates, flush, clocks } = setup();
    updates.changed(old);
    flush(1_000);
    updates.changed(recent);
    flush(3_000);
    const [unsent, hidden] = [entryOf(3, 2 ** 47), entryOf(4, 1, { visible: false })];
    expect(clocks(updates.snapshot([old, recent, unsent, hidden], 2_000))).toEqual([
      [1, 2 ** 47 + 1],
      [2, 2 ** 47],
      [3, 2 ** 47],
    ]);
    // what came with a snapshot only must end, too
    updates.removed(unsent);
    updates.removed(hidden);
    expect(flush(4_000)).toEqual([[3, -(2 ** 47)]]);
  });

  it("are not above the author's for whom may be the author, until that is known", () => {
    const [behind, even, old] = [entryOf(1, 5), entryOf(2, 2 ** 47), entryOf(3, 2 ** 47)];
    const { updates, flush, clocks } = setup();
    updates.changed(old);
    flush(1_000);
    updates.changed(behind);
    updates.changed(even);
    const sent = new Map(flush(3_000));
    expect(sent.get(1)).toBeGreaterThan(5);
    const rows = [behind, even, old, entryOf(4, 1, { visible: false })];
    expect(clocks(updates.preview(rows))).toEqual([
      [1, 5],
      [2, 2 ** 47],
      [3, 2 ** 47],
    ]);
    // the second was told already with a clock that is new to anybody
    expect(clocks(updates.afterPreview(rows, 2_000))).toEqual([
      [1, sent.get(1)],
      [3, 2 ** 47 + 1],
    ]);
    // the owner answered its nudge meanwhile; a member that was shown it before must hear of it all the same
    behind.clock = sent.get(1)! + 1;
    expect(clocks(updates.afterPreview([behind], 2_000))).toEqual([[1, sent.get(1)]]);
  });

  it("leave behind stock owners whose own are lower", () => {
    const owner = (kind: Kind): Author => {
      return {
        kind,
        echoing: "after its answer",
        silent: false,
        address: "here",
        access: { user: null, lobby: "@lobby" },
      };
    };
    const entries = [
      entryOf(1, 5, { owner: owner("stock") }),
      entryOf(2, 5, { owner: owner("native") }),
      entryOf(3, 5),
      entryOf(4, 2 ** 47, { owner: owner("stock") }),
    ];
    const { updates } = setup();
    for (const entry of entries) updates.changed(entry);
    const sent = updates.takeChanges(0);
    expect([...nudges(sent)]).toEqual([[entries[0]?.owner, new Map([[0, { ...sent[0], state: null }]])]]);
    updates.removed(entries[0]!);
    expect(nudges(updates.takeChanges(0)).size).toBe(0);
  });
});

describe("[ROOM-5] what is flushed", () => {
  it("is each id once, and nothing of one who came and went", () => {
    const [a, b, hidden] = [entryOf(1, 1), entryOf(2, 1), entryOf(3, 1, { visible: false })];
    const { updates, flush } = setup();
    for (const entry of [a, a, b, hidden]) updates.changed(entry);
    updates.removed(b);
    expect(flush(0).map(([id]) => id)).toEqual([1]);
    expect(flush(0)).toEqual([]);
  });

  it("is the end of one who left, came back and left", () => {
    const entry = entryOf(1, 1);
    const { updates, flush } = setup();
    updates.changed(entry);
    flush(0);
    for (let i = 0; i < 2; i++) {
      updates.removed(entry);
      updates.changed(entry);
    }
    updates.removed(entry);
    expect(flush(0)).toEqual([[1, expect.toSatisfy((clock: number) => clock < 0)]]);
    updates.removed(entry);
    expect(flush(0)).toEqual([]);
  });
});

describe("[LIVE-21] what is sent again", () => {
  it.each([
    ["nothing of one who was sent lately", 9_999, 1, []],
    ["nothing of one who is silent for a while", 19_999, 0, []],
    ["one who is silent, every 20 s", 20_000, 0, [1]],
  ])("%s", (_, after, renewed, ids) => {
    const entry = entryOf(1, 2 ** 47);
    const { updates, flush } = setup();
    updates.changed(entry);
    flush(0);
    entry.clock += renewed;
    const entries = [entry, entryOf(2, 1), entryOf(3, 1, { visible: false })];
    const sent = updates.takeRenewals(entries, after);
    expect(sent.map(({ publication }) => publication.id)).toEqual(ids);
    // under a clock that observers take for new
    expect(sent.every(({ clock }) => clock === 2 ** 47 + 1)).toBe(true);
    expect(updates.takeRenewals(entries, after)).toEqual([]);
  });
});
