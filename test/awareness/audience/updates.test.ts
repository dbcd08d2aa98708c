import { describe, expect, it } from "vitest";
import { OutgoingStates } from "../../../src/relay/outgoing.ts";
import type { Row } from "../../../src/relay/table.ts";
import { readState } from "../../../src/presence/index.ts";
import { openAccess } from "../../../src/relay/access/grants.ts";
import { StateBytes } from "../../../src/wire/index.ts";

const state = new StateBytes(new Map());

function rowOf(id: number, clock: number, given: Partial<Row> = {}): Row {
  const claim = readState(id, {}, "doc")!;
  const fixed = { id, room: "doc", clock, state, said: state, claim, lobby: "@lobby", owner: null, user: null };
  return { ...fixed, lastSeen: 0, visible: true, mark: "clear", stock: true, ...given };
}

/** Some rows, and what was sent of them: id and clock, a clock that is negative for an end. */
function setup(...rows: Row[]) {
  const outgoing = new OutgoingStates(() => Date.now());
  const table = new Map(rows.map((row) => [row.id, row]));
  return {
    outgoing,
    table,
    flush: (now: number): [number, number][] =>
      outgoing.takeChanges(table, now).map((entry) => [entry.id, entry.state === null ? -entry.clock : entry.clock]),
    clocks: (entries: readonly { readonly id: number; readonly clock: number }[]): [number, number][] =>
      entries.map(({ id, clock }) => [id, clock]),
  };
}

describe("[LIVE-10] the clocks that observers are sent", () => {
  it("start at the time, above those of a former relay, and rise with each change", () => {
    const before = Date.now();
    const row = rowOf(1, 5);
    const { outgoing, flush } = setup(row);
    expect(outgoing.clockOf(1)).toBe(-1);
    outgoing.changed(row.id);
    const [[, first]] = flush(0) as [[number, number]];
    expect(first).toBeGreaterThanOrEqual(before);
    outgoing.changed(row.id);
    expect(flush(0)).toEqual([[1, first + 1]]);
    // the end takes no clock of its own, but who comes after it does
    outgoing.removed(1);
    expect(flush(0)).toEqual([[1, -(first + 1)]]);
    outgoing.changed(row.id);
    expect(flush(0)).toEqual([[1, first + 2]]);
  });

  it("are the author's where those are higher", () => {
    const row = rowOf(1, 2 ** 47);
    const { outgoing, flush } = setup(row);
    outgoing.changed(row.id);
    expect(flush(0)).toEqual([[1, 2 ** 47]]);
    row.clock += 7;
    outgoing.changed(row.id);
    expect(flush(0)).toEqual([[1, 2 ** 47 + 7]]);
  });

  it("are new for whom may have been here when a state was last sent", () => {
    const [old, recent] = [rowOf(1, 2 ** 47), rowOf(2, 2 ** 47)];
    const { outgoing, flush, clocks } = setup(old, recent);
    outgoing.changed(old.id);
    flush(1_000);
    outgoing.changed(recent.id);
    flush(3_000);
    const rows = [old, recent, rowOf(3, 2 ** 47), rowOf(4, 1, { visible: false })];
    expect(clocks(outgoing.snapshot(rows, 2_000))).toEqual([
      [1, 2 ** 47 + 1],
      [2, 2 ** 47],
      [3, 2 ** 47],
    ]);
    // what came with a snapshot only must end, too
    outgoing.removed(3);
    outgoing.removed(4);
    expect(flush(4_000)).toEqual([[3, -(2 ** 47)]]);
  });

  it("are not above the author's for whom may be the author, until that is known", () => {
    const [behind, even, old] = [rowOf(1, 5), rowOf(2, 2 ** 47), rowOf(3, 2 ** 47)];
    const { outgoing, flush, clocks } = setup(behind, even, old);
    outgoing.changed(old.id);
    flush(1_000);
    outgoing.changed(behind.id);
    outgoing.changed(even.id);
    const sent = new Map(flush(3_000));
    expect(sent.get(1)).toBeGreaterThan(5);
    const rows = [behind, even, old, rowOf(4, 1, { visible: false })];
    expect(clocks(outgoing.preview(rows))).toEqual([
      [1, 5],
      [2, 2 ** 47],
      [3, 2 ** 47],
    ]);
    // the second was told already with a clock that is new to anybody
    expect(clocks(outgoing.afterPreview(rows, 2_000))).toEqual([
      [1, sent.get(1)],
      [3, 2 ** 47 + 1],
    ]);
    // the owner answered its nudge meanwhile; whoever was shown it before must hear of it all the same
    behind.clock = sent.get(1)! + 1;
    expect(clocks(outgoing.afterPreview([behind], 2_000))).toEqual([[1, sent.get(1)]]);
  });

  it("leave behind stock owners whose own are lower", () => {
    const owner = (trusts: boolean): Row["owner"] => {
      return {
        trusts,
        access: openAccess("@lobby"),
        lastSeen: 0,
        silent: false,
        lagging: false,
        patches: false,
        answers: false,
        send() {},
        close() {},
      };
    };
    const rows = [
      rowOf(1, 5, { owner: owner(false) }),
      rowOf(2, 5, { owner: owner(true) }),
      rowOf(3, 5),
      rowOf(4, 2 ** 47, { owner: owner(false) }),
    ];
    const { outgoing, table } = setup(...rows);
    for (const row of rows) outgoing.changed(row.id);
    const entries = outgoing.takeChanges(table, 0);
    const nudge = { id: 1, clock: entries[0]?.clock, state: null };
    expect([...outgoing.nudges(entries, table)]).toEqual([[rows[0]?.owner, new Map([[0, nudge]])]]);
    outgoing.removed(1);
    expect(outgoing.nudges(outgoing.takeChanges(table, 0), table).size).toBe(0);
  });

  it("are forgotten with the id", () => {
    const row = rowOf(1, 5);
    const { outgoing, flush } = setup(row);
    outgoing.changed(row.id);
    flush(0);
    outgoing.forget(1);
    expect(outgoing.clockOf(1)).toBe(-1);
  });
});

describe("[ROOM-5] what is flushed", () => {
  it("is each id once, and nothing of one who came and went", () => {
    const [a, b, hidden] = [rowOf(1, 1), rowOf(2, 1), rowOf(3, 1, { visible: false })];
    const { outgoing, flush } = setup(a, b, hidden);
    for (const row of [a, a, b, hidden]) outgoing.changed(row.id);
    outgoing.removed(2);
    expect(outgoing.pending).toBe(true);
    expect(flush(0).map(([id]) => id)).toEqual([1]);
    expect(outgoing.pending).toBe(false);
    expect(flush(0)).toEqual([]);
  });

  it("is the end of one who left, came back and left", () => {
    const row = rowOf(1, 1);
    const { outgoing, flush } = setup(row);
    outgoing.changed(row.id);
    flush(0);
    for (let i = 0; i < 2; i++) {
      outgoing.removed(1);
      outgoing.changed(row.id);
    }
    outgoing.removed(1);
    expect(flush(0)).toEqual([[1, expect.toSatisfy((clock: number) => clock < 0)]]);
    outgoing.removed(1);
    expect(flush(0)).toEqual([]);
  });
});

describe("[LIVE-9] what is sent again", () => {
  it.each([
    ["nothing of one who was sent lately", 9_999, 1, []],
    ["nothing of one who is silent for a while", 19_999, 0, []],
    ["one who is silent, every 20 s", 20_000, 0, [1]],
  ])("%s", (_, after, renewed, ids) => {
    const row = rowOf(1, 2 ** 47);
    const { outgoing, flush } = setup(row);
    outgoing.changed(row.id);
    flush(0);
    row.clock += renewed;
    const rows = [row, rowOf(2, 1), rowOf(3, 1, { visible: false })];
    const entries = outgoing.takeRenewals(rows, after);
    expect(entries.map(({ id }) => id)).toEqual(ids);
    // under a clock that observers take for new
    expect(entries.every(({ clock }) => clock === 2 ** 47 + 1)).toBe(true);
    expect(outgoing.takeRenewals(rows, after)).toEqual([]);
  });
});
