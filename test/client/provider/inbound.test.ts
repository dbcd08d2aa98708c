/** What a client believes of connections, by the relay's word alone. */
import { expect, it } from "vitest";
import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { createInbound } from "../../../src/client/provider/inbound.ts";
import { decodeRelayFrame, encodeStates, fieldsOf } from "../../../src/wire/index.ts";

it("[ROSTER-6] a client that the relay gave up, and that speaks again, does not take itself for reconnecting for ever", () => {
  const awareness = new Awareness(new Y.Doc());
  awareness.setLocalState({ user: { id: "alice" } });
  clearInterval(awareness["_checkInterval"] as number);
  let told = 0;
  const marked: number[] = [];
  const own = { tellAnew: () => void told++, isOwn: (id: number) => id === awareness.clientID };
  const inbound = createInbound(awareness, {}, own, { at: (ms) => ms }, (ids) => marked.push(...ids));
  const take = (write: Parameters<typeof encodeStates>[0]): void => {
    const frame = decodeRelayFrame(encodeStates(write) ?? new Uint8Array());
    if (frame.type !== "states") throw new Error(`unexpected ${frame.type}`);
    inbound.take(frame.payload);
  };
  inbound.opened();
  take((writer) => void writer.whole(1, awareness.clientID, fieldsOf({ user: { id: "alice" } })));
  inbound.mark([[awareness.clientID, "reconnecting", 0]]);
  expect(inbound.markOf(awareness.clientID)?.mark).toBe("reconnecting");
  marked.length = 0;
  take((writer) => writer.gone(1));
  expect([inbound.markOf(awareness.clientID), told, marked]).toEqual([undefined, 1, [awareness.clientID]]);
});

it("[OWN-4] shows a session once where the relay names it under an id that had another session, and not under the one that was missed", () => {
  const awareness = new Awareness(new Y.Doc());
  clearInterval(awareness["_checkInterval"] as number);
  const own = { tellAnew: () => {}, isOwn: () => false };
  const inbound = createInbound(awareness, {}, own, { at: (ms) => ms }, () => {});
  const open = (...named: readonly (readonly [id: number, session: string])[]): void => {
    inbound.opened();
    const frame = decodeRelayFrame(
      encodeStates((writer) => {
        for (const [i, [id, session]] of named.entries()) {
          writer.whole(i + 1, id, fieldsOf({ user: { id: "bob" }, copresence: { session } }));
        }
      }) ?? new Uint8Array(),
    );
    if (frame.type === "states") inbound.take(frame.payload);
  };
  // Bob's tab was duplicated: the copy went on with its session, and the tab took another
  open([7, "s_tab"], [8, "s_copy"]);
  inbound.lost(5_000);
  // a relay that has not heard of that
  open([7, "s_copy"]);
  expect([...awareness.states.keys()].filter((id) => id !== awareness.clientID)).toEqual([7]);
});

it("[TIME-6] who was lost with the connection is dated by the clock of the relay that answers now", () => {
  const awareness = new Awareness(new Y.Doc());
  clearInterval(awareness["_checkInterval"] as number);
  let aheadMs = 3_600_000;
  const own = { tellAnew: () => {}, isOwn: () => false };
  const inbound = createInbound(awareness, {}, own, { at: (ms) => ms + aheadMs }, () => {});
  const open = (id?: number): void => {
    inbound.opened();
    const frame = decodeRelayFrame(
      encodeStates((writer) => {
        if (id === undefined) writer.gone(1);
        else void writer.whole(1, id, fieldsOf({ user: { id: "bob" } }));
      }) ?? new Uint8Array(),
    );
    if (frame.type === "states") inbound.take(frame.payload);
  };
  open(7);
  inbound.lost(5_000);
  aheadMs = 0;
  open(8);
  expect(inbound.markOf(7)).toEqual({ mark: "reconnecting", lastSeen: 5_000 });
  inbound.release();
  expect([inbound.lostContactAt, awareness.states.has(7)]).toEqual([5_000, false]);
});
