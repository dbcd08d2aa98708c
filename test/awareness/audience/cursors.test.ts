import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CursorLimiter } from "../../../src/awareness/audience/index.ts";
import { ownClient, startRelay, stockClient, until } from "../../support.ts";

describe("[FLOW-5] a crowd", () => {
  it("shows everybody where there is no limit", () => {
    const crowd = new CursorLimiter(0);
    expect([crowd.shows(1), crowd.moved(1, 0), crowd.shows(1)]).toEqual([true, null, true]);
  });

  it("shows so many, and another only when one of them has been calm for 2 s", () => {
    const crowd = new CursorLimiter(2);
    crowd.moved(1, 0);
    crowd.moved(2, 500);
    expect([crowd.moved(3, 1_999), crowd.shows(3)]).toEqual([null, false]);
    crowd.moved(1, 1_999);
    expect([crowd.moved(3, 2_499), crowd.shows(3)]).toEqual([null, false]);
    expect([crowd.moved(3, 2_500), crowd.shows(2), crowd.shows(3)]).toEqual([2, false, true]);
    crowd.left(1);
    expect([crowd.moved(2, 2_501), crowd.shows(2)]).toEqual([null, true]);
  });

  it("never shows more, and says of each that is shown no more", () => {
    const event = fc.record({ id: fc.nat(6), after: fc.nat(1_500), leaves: fc.boolean() });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(event, { maxLength: 60 }), (max, events) => {
        const crowd = new CursorLimiter(max);
        const shown = new Set<number>();
        let now = 0;
        for (const { id, after, leaves } of events) {
          now += after;
          if (leaves) {
            crowd.left(id);
            shown.delete(id);
            continue;
          }
          const hidden = crowd.moved(id, now);
          if (hidden !== null) shown.delete(hidden);
          if (crowd.shows(id)) shown.add(id);
          expect(new Set([0, 1, 2, 3, 4, 5, 6].filter((each) => crowd.shows(each)))).toEqual(shown);
          expect(shown.size).toBeLessThanOrEqual(max);
        }
      }),
    );
  });

  it("is all seen, by our clients and by stock ones, and of two that move the second's cursor is not", async () => {
    const { url } = await startRelay({ tick: 0, maxCursors: 1 });
    const alice = ownClient(url, "alice").join("doc");
    const bob = ownClient(url, "bob").join("doc");
    const carol = ownClient(url, "carol").join("doc");
    const dave = stockClient(url, "doc", { user: { id: "dave", name: "Dave" } });
    await until("all see all", () => alice.roster.users.length === 4 && dave.awareness.getStates().size === 4);
    bob.awareness.setLocalStateField("cursor", { x: 1 });
    const cursor = (from: { getStates(): Map<number, Record<string, unknown>> }, of: { readonly clientID: number }) =>
      from.getStates().get(of.clientID)?.["cursor"];
    const sees = async (of: { readonly clientID: number }, expected: unknown): Promise<void> => {
      for (const from of [alice.awareness, dave.awareness]) {
        await until("the cursor", () => JSON.stringify(cursor(from, of)) === JSON.stringify(expected));
      }
    };
    await sees(bob.awareness, { x: 1 });
    carol.awareness.setLocalStateField("cursor", { x: 2 });
    bob.awareness.setLocalStateField("cursor", { x: 3 });
    await sees(bob.awareness, { x: 3 });
    await sees(carol.awareness, undefined);
    expect(alice.roster.users).toHaveLength(4);
    // when Bob has been calm for a while, it is Carol's that is seen
    await until("Carol is seen", () => {
      carol.awareness.setLocalStateField("cursor", { x: Date.now() });
      return (
        cursor(dave.awareness, carol.awareness) !== undefined && cursor(alice.awareness, carol.awareness) !== undefined
      );
    });
    await sees(bob.awareness, undefined);
    bob.leave();
    await until("Bob is gone", () => alice.roster.users.length === 3 && dave.awareness.getStates().size === 3);
  });
});
