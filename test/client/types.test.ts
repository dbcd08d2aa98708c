/** What TypeScript accepts: `tsc` is the test, by lines that must be errors; nothing here is run but the last lines. */
import { describe, expect, it } from "vitest";
import { type Presence, createPresence } from "../../src/client/index.ts";

interface Viewing {
  readonly page: string;
  readonly line?: number | undefined;
  readonly tags: readonly string[];
  readonly nested: { readonly deep: readonly (readonly [number, null])[] };
}
interface Optional {
  readonly page?: string;
}
interface Recursive {
  readonly name: string;
  readonly children: readonly Recursive[];
}
class Point {
  readonly x = 1;
  length(): number {
    return this.x;
  }
}

const url = "ws://localhost:1234";
const user = { id: "alice" };
const viewing: Viewing = { page: "home", tags: [], nested: { deep: [[1, null]] } };

/** Never called: it would connect. */
export function accepted(): unknown {
  const plain: Presence = createPresence(url, { user });
  plain.join("room");
  plain.join("room", { meta: { anything: [1, { goes: null }] } });
  plain.setMeta((previous) => ({ ...previous, page: 1 }));
  // its type is that of what was given
  const inferred: Presence<{ page: string }> = createPresence(url, { user, meta: { page: "home" } });

  const typed = createPresence<Viewing, Viewing>(url, { user, meta: viewing });
  typed.join("room", { meta: viewing });
  const optional = createPresence<Optional, Recursive>(url, { user });
  optional.join("room", { meta: { name: "a", children: [{ name: "b", children: [] }] } });
  return [inferred, typed, createPresence<Viewing, Optional>(url, { user, meta: viewing }).join("room")];
}

/** Never called either. */
export function refused(): void {
  // @ts-expect-error -- what is required of the metadata must be given
  createPresence<Viewing>(url, { user });
  // @ts-expect-error -- and where it is given it must be complete
  createPresence<Viewing>(url, { user, meta: { page: "home" } });
  const typed = createPresence<Viewing, Viewing>(url, { user, meta: viewing });
  // @ts-expect-error -- in a room too
  typed.join("room");
  // @ts-expect-error -- with a document as well
  typed.join("room", {});
  // @ts-expect-error -- a Date arrives as a text
  createPresence<{ at: Date }>(url, { user, meta: { at: new Date() } });
  // @ts-expect-error -- also where it was not said what the type is
  createPresence(url, { user, meta: { nested: [{ at: new Date() }] } });
  // @ts-expect-error -- a function does not arrive
  createPresence<{ onClick: () => void }>(url, { user, meta: { onClick() {} } });
  // @ts-expect-error -- nor does what a class makes of its values
  createPresence<{ point: Point }>(url, { user, meta: { point: new Point() } });
  // @ts-expect-error -- a Map arrives empty
  createPresence<Optional, { seen: Map<string, number> }>(url, { user });
  // @ts-expect-error -- a bigint cannot be sent
  createPresence<{ count: bigint }>(url, { user, meta: { count: 1n } });
  // @ts-expect-error -- nobody knows what that is
  createPresence<{ data: unknown }>(url, { user, meta: { data: 1 } });
}

describe("the types of metadata", () => {
  it("[STATE-11] ask for what is required, and take nothing but JSON", () => {
    expect([typeof accepted, typeof refused]).toEqual(["function", "function"]);
  });
});
