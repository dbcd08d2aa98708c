import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Publication } from "../../../src/awareness/index.ts";
import { NativeAudience, type StateUpdate } from "../../../src/awareness/audience/index.ts";
import {
  PATCH_SUBPROTOCOL,
  StateBytes,
  StatesReader,
  decodeFrame,
  fieldsOf,
  patchFrame,
  valuesOf,
  writePatch,
} from "../../../src/wire/index.ts";
import { startRelay, until } from "../../support.ts";
import { RawPeer, rawPeer, stateOf } from "../../relay/raw.ts";

/** One who is told, and what they make of it. */
class Listener {
  readonly states = new Map<number, unknown>();
  readonly #reader = new StatesReader();

  hear(message: Uint8Array | null): void {
    if (message === null) return;
    const frame = decodeFrame(message);
    if (frame.type !== "states") throw new Error(frame.type);
    for (const { id, fields } of this.#reader.read(frame.payload)) {
      if (fields === null) this.states.delete(id);
      else this.states.set(id, valuesOf(fields, ...fields.keys()));
    }
  }
}

describe("[PATCH-1] [PATCH-2] what clients that take patches are told", () => {
  const said = fc.record({
    id: fc.nat(3),
    state: fc.option(
      fc.dictionary(fc.constantFrom("user", "cursor", "a"), fc.jsonValue({ maxDepth: 1 }), { noNullPrototype: true }),
    ),
  });
  const event = fc.oneof(
    fc.record({ type: fc.constant("said" as const), said: fc.array(said, { maxLength: 4 }) }),
    fc.record({ type: fc.constantFrom("join" as const, "flush" as const) }),
    fc.record({ type: fc.constantFrom("lag" as const, "catchUp" as const), who: fc.nat(3) }),
  );

  it("is the truth after each flush, whenever they came, and whatever they missed", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 25 }), (events) => {
        const patches = new NativeAudience();
        const rows = new Map<number, StateBytes>();
        const changed = new Set<number>();
        const listeners: Listener[] = [];
        const missed = new Map<Listener, Set<number>>();
        /** Whom newcomers were told of, and who was there. */
        const first: [number[], number[]][] = [];
        const publications = Array.from({ length: 4 }, (_, id): Publication => {
          return { id, entry: null, isElsewhere: false, clock: 1, shown: true, sentAt: 0, pending: null, native: null };
        });
        const asOf = (id: number): StateUpdate => ({
          publication: publications[id]!,
          clock: 1,
          state: rows.get(id) ?? null,
        });
        const flush = (): void => {
          const news = [...changed].map(asOf);
          const message = listeners.length === 0 ? null : patches.changes(news);
          changed.clear();
          for (const listener of listeners) {
            const ids = missed.get(listener);
            if (ids === undefined) listener.hear(message);
            else for (const { publication } of news) ids.add(publication.id);
          }
          const truth = new Map([...rows].map(([id, { fields }]) => [id, valuesOf(fields, ...fields.keys())]));
          const told = listeners.filter((listener) => !missed.has(listener));
          expect(told.map(({ states }) => states)).toEqual(told.map(() => truth));
        };
        for (const each of events) {
          switch (each.type) {
            case "said":
              for (const { id, state } of each.said) {
                changed.add(id);
                if (state === null) rows.delete(id);
                else rows.set(id, new StateBytes(fieldsOf(state, rows.get(id)?.fields)));
              }
              break;
            case "join": {
              const listener = new Listener();
              listeners.push(listener);
              listener.hear(patches.snapshot([...rows.keys()].map(asOf)));
              first.push([[...listener.states.keys()], [...rows.keys()]]);
              break;
            }
            case "flush":
              flush();
              break;
            case "lag":
              if (listeners[each.who] !== undefined && !missed.has(listeners[each.who]!)) {
                missed.set(listeners[each.who]!, new Set());
              }
              break;
            case "catchUp": {
              const listener = listeners[each.who];
              const ids = listener && missed.get(listener);
              if (ids === undefined) break;
              missed.delete(listener!);
              if (ids.size > 0) listener!.hear(patches.whole([...ids].map(asOf)));
            }
          }
        }
        for (const listener of missed.keys()) {
          listener.hear(patches.whole([...missed.get(listener)!].map(asOf)));
        }
        missed.clear();
        flush();
        expect(first.map(([told]) => told)).toEqual(first.map(([, there]) => there));
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("[PATCH-3] a client that sends patches", () => {
  async function patchPeer(url: string): Promise<RawPeer> {
    const peer = new RawPeer(url, "doc", [PATCH_SUBPROTOCOL]);
    await until("it is open", () => peer.socket.readyState === peer.socket.OPEN);
    return peer;
  }
  const before = stateOf("alice", "s_1", {}, { cursor: { x: 1 } });
  const after = stateOf("alice", "s_1", {}, { cursor: { x: 2 } });
  const patch = (id: number, clock: number): Uint8Array =>
    patchFrame(id, clock, (encoder) => writePatch(encoder, fieldsOf(before), fieldsOf(after, fieldsOf(before))));

  it("changes its own state, in the eyes of those who take patches and of those who do not", async () => {
    const { url } = await startRelay({ tick: 0 });
    const [alice, bob, carol] = [await patchPeer(url), await rawPeer(url, "doc"), await patchPeer(url)];
    const listener = new Listener();
    alice.say([7, 1, before]);
    await until("Bob sees her", () => bob.states.has(7));
    alice.send(patch(7, 2));
    await expect.poll(() => bob.states.get(7)).toEqual(after);
    await carol.settle();
    for (const frame of carol.received) {
      if (frame[0] === 100) listener.hear(frame);
    }
    expect(listener.states).toEqual(new Map([[7, after]]));
  });

  it("[PATCH-5] is asked for its whole state when the patched one is not known as its own", async () => {
    const { url } = await startRelay({ tick: 0 });
    const [alice, mallory] = [await patchPeer(url), await patchPeer(url)];
    const bob = await rawPeer(url, "doc");
    alice.say([7, 1, before]);
    await until("Bob sees her", () => bob.states.has(7));
    mallory.send(patch(7, 2));
    mallory.send(patch(8, 2));
    await mallory.settle();
    expect(mallory.frames.filter(({ type }) => type === "queryAwareness")).toHaveLength(2);
    expect(bob.states).toEqual(new Map([[7, before]]));
  });

  it("[WIRE-2] is closed for a patch that does not fit, or makes no JSON", async () => {
    const { url } = await startRelay({ tick: 0 });
    for (const [bytes, reason] of [
      [[1 + 4 * 9, 0, 0, 0, 0], "patch of a field that is not there"],
      [[9, 1, 0, 0, 0], "invalid JSON"],
    ] as const) {
      const alice = await patchPeer(url);
      alice.say([7, 1, { cursor: 1, a: 2, b: { c: 3 } }]);
      alice.send(Uint8Array.of(101, 7, 2, ...bytes));
      expect(await alice.closed).toEqual({ code: 4400, reason });
    }
  });
});
