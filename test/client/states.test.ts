/** Own clients and a stock one, over a relay: what everybody sees of a state. */
import * as fc from "fast-check";
import { it } from "vitest";
import * as Y from "yjs";
import type { Room } from "../../src/client/index.ts";
import { ownClient, pause, startRelay, stockClient, until } from "../support.ts";

const name = fc.oneof(
  fc.constantFrom(
    "cursor",
    "selection",
    "anchorPos",
    "7",
    "10",
    "__proto__",
    "constructor",
    "",
    'a"b',
    "a\\b",
    "\ud83d",
  ),
  fc.string({ maxLength: 2 }),
);
const value = fc.oneof(fc.constant(undefined), fc.jsonValue({ maxDepth: 2 }), fc.record({ x: fc.nat(999) }));
const fields = fc.array(fc.tuple(name, value), { maxLength: 4 }).map((entries) => Object.fromEntries(entries));

type Step =
  | readonly ["replace" | "add", Record<string, unknown>]
  | readonly ["field", string, unknown]
  | readonly ["renew" | "reconnect" | "remount" | "other id" | "wait"];
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fc.constantFrom("replace" as const, "add" as const), fields),
  fc.tuple(fc.constant("field" as const), name, value),
  fc.tuple(
    fc.constantFrom("renew" as const, "reconnect" as const, "remount" as const, "other id" as const, "wait" as const),
  ),
);

const plain = (state: unknown): string => JSON.stringify(sorted(JSON.parse(JSON.stringify(state ?? null))));

/** The same with the names of its fields in one order. */
function sorted(state: unknown): unknown {
  return state && Object.entries(state).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

it("[SYNC-1] [SYNC-2] [SYNC-6] a state is the same to everybody, whatever was said and happened before", async () => {
  const { url } = await startRelay({ tick: 0, lobbyTick: 0 });
  const alice = ownClient(url, "alice", { timing: { backoffMs: 5, maxBackoffMs: 10 } });
  const bob = ownClient(url, "bob").join("doc");
  const stock = stockClient(url, "doc", { user: { name: "Stan" } });
  const doc = new Y.Doc();
  let room: Room = alice.join("doc", { doc });

  const act = async (each: Step): Promise<void> => {
    const { awareness } = room;
    const [what, ...rest] = each;
    if (what === "replace") awareness.setLocalState(rest[0] as Record<string, unknown>);
    else if (what === "add") awareness.setLocalState({ ...awareness.getLocalState(), ...(rest[0] as object) });
    else if (what === "field") awareness.setLocalStateField(rest[0] as string, rest[1]);
    else if (what === "renew") awareness.setLocalState(awareness.getLocalState());
    else if (what === "wait") await pause(40);
    else if (what === "other id") doc.clientID = (doc.clientID + 1) % 2 ** 32;
    else if (what === "reconnect") {
      room.provider.disconnect();
      room.provider.connect();
    } else {
      room.leave();
      room = alice.join("doc", { doc });
    }
  };

  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      for (const each of steps) await act(each);
      await until("all see her as she is", () => {
        const own = plain(room.awareness.getLocalState());
        const ofAlice = (states: Map<number, Record<string, unknown>>): string[] =>
          [...states.values()].filter(({ user }) => (user as { id?: string })?.id === "alice").map(plain);
        return [bob.awareness, stock.awareness].every((each) => ofAlice(each.getStates()).join() === own);
      });
    }),
    { numRuns: 40 },
  );
  await until("both are live", () => room.roster.status === "live" && bob.roster.status === "live");
}, 60_000);
