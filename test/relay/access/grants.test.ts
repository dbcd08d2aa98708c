import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accessTo, grantsFor, sameAccess } from "../../../src/relay/access/grants.ts";
import type { Grants } from "../../../src/relay/access/identity.ts";
import { stampField, withField } from "../../../src/awareness/index.ts";
import { StateBytes, fieldsOf } from "../../../src/wire/index.ts";

const rooms: Grants = {
  "*": ["observe"],
  "team-*": ["observe", "presence"],
  "team-a-*": ["observe", "read"],
  "team-a-1": ["write"],
  "team-a-2": [],
  "@lobby": ["presence"],
};

describe("grantsFor", () => {
  it.each<[string, string[]]>([
    ["doc", ["observe"]],
    ["team-b", ["observe", "presence"]],
    ["team-", ["observe", "presence"]],
    ["team", ["observe"]],
    ["team-a-3", ["observe", "read"]],
    ["team-a-1", ["write"]],
    ["team-a-2", []],
    ["@lobby", ["presence"]],
    ["@lobby/acme", ["presence"]],
    // a name like any other
    ["__proto__", ["observe"]],
    ["toString", ["observe"]],
  ])("[GRANT-1] [GRANT-6] of the entries for %s the most specific counts", (room, grants) => {
    expect([...grantsFor(rooms, room)]).toEqual(grants);
  });

  it("[GRANT-1] without rooms everything is granted, and in rooms without the room nothing", () => {
    expect(grantsFor(undefined, "doc").size).toBe(4);
    expect(grantsFor(undefined, "@lobby/acme").size).toBe(4);
    for (const room of ["doc", "@lobby", "__proto__", "toString", "constructor"]) {
      expect(grantsFor({}, room).size).toBe(0);
      expect(grantsFor({ other: ["observe"] }, room).size).toBe(0);
    }
    expect(grantsFor({ "@*": ["observe"], "*": ["observe"] }, "@lobby").size).toBe(0);
    expect(grantsFor(JSON.parse('{"__proto__":["read"]}') as Grants, "__proto__").size).toBe(1);
  });

  it("[GRANT-1] what is not known grants nothing", () => {
    const odd = { doc: ["admin", "observe", 1, null], other: "observe" } as unknown as Grants;
    expect([...grantsFor(odd, "doc")]).toEqual(["observe"]);
    expect(grantsFor(odd, "other").size).toBe(0);
  });

  it("[GRANT-1] never grants what no entry for the room says, in whatever order they stand", () => {
    const name = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 4 });
    const lists = fc.dictionary(name, fc.subarray(["observe", "presence", "read", "write"] as const));
    fc.assert(
      fc.property(lists, name, (map, room) => {
        const granted = grantsFor(map, room);
        const reversed = Object.fromEntries(Object.entries(map).toReversed());
        expect(grantsFor(reversed, room)).toEqual(granted);
        const fits = ([key]: [string, unknown]): boolean =>
          key === room || (key.endsWith("*") && room.startsWith(key.slice(0, -1)));
        const possible = Object.entries(map).filter(fits);
        const sets = possible.length === 0 ? [""] : possible.map(([, grants]) => grants.toString());
        expect(sets).toContain([...granted].toString());
      }),
    );
  });
});

describe("accessTo", () => {
  const access = (identity: object, room: string, asked = "@lobby") => {
    const result = accessTo({ userId: "alice", ...identity }, room, asked);
    return result.ok ? result.access : result.reason;
  };

  it("[GRANT-7] counts where the token says, else where was asked", () => {
    expect(access({}, "doc", "@lobby/acme")).toMatchObject({ lobby: "@lobby/acme" });
    expect(access({ lobby: "evil" }, "doc", "@lobby/acme")).toMatchObject({ lobby: "@lobby/evil" });
    expect(access({ lobby: "@lobby/evil" }, "@lobby/evil", "@lobby")).toMatchObject({ lobby: "@lobby/evil" });
    expect(access({}, "@lobby/acme", "@lobby/acme")).toMatchObject({ lobby: "@lobby/acme" });
    expect(access({ lobby: "evil" }, "@lobby/acme")).toBe("your lobby is @lobby/evil");
  });

  it("[GRANT-8] the document of a lobby is read by who may observe it", () => {
    expect(access({ rooms: { "@lobby": ["observe"] } }, "@lobby")).toMatchObject({ observe: true, read: true });
    expect(access({ rooms: { "@lobby": ["read", "presence"] } }, "@lobby")).toMatchObject({
      observe: false,
      read: false,
    });
  });

  it("[AUTH-5] [AUTH-13] is the same for tokens that differ in their end alone", () => {
    const before = accessTo({ userId: "alice", expiresAt: 1 }, "doc", "@lobby");
    const after = accessTo({ userId: "alice", expiresAt: 2 }, "doc", "@lobby");
    const other = accessTo({ userId: "alice", name: "A" }, "doc", "@lobby");
    if (!before.ok || !after.ok || !other.ok) throw new Error("unreachable");
    expect([sameAccess(before.access, after.access), sameAccess(before.access, other.access)]).toEqual([true, false]);
  });
});

describe("a stamp", () => {
  const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const read = (value: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(value));

  it("[ID-1] leaves what agrees as it is, byte for byte", () => {
    const value = new TextEncoder().encode('{ "color":"#fff", "id":"alice" , "name":"Alice"}');
    expect(stampField(value, { id: "alice" })).toBe(value);
    expect(stampField(value, { id: "alice", name: "Alice" })).toBe(value);
  });

  it("[ID-1] [ID-2] is over whatever else is claimed, and what it does not say stays", () => {
    const stamp = { id: "alice", name: "Alice" };
    const other = [{}, null, "alice", ["alice"], { id: "bob" }, { id: "alice" }, { id: ["alice"], name: "Alice" }];
    for (const claim of other) expect(read(stampField(bytes(claim), stamp))).toMatchObject(stamp);
    expect(read(stampField(undefined, stamp))).toEqual(stamp);
    expect(read(stampField(bytes({ id: "bob", color: "#fff" }), stamp))).toEqual({ ...stamp, color: "#fff" });
    const hostile = new TextEncoder().encode('{"__proto__":{"id":"alice","name":"Alice"},"toString":1}');
    const stamped = stampField(hostile, stamp);
    expect(read(stamped)).toMatchObject(stamp);
    expect(new TextDecoder().decode(stamped)).toContain('"__proto__"');
  });

  it("[ID-1] whatever is claimed, others read the known", () => {
    fc.assert(
      fc.property(fc.json(), fc.string({ minLength: 1 }), (claim, id) => {
        const stamped = stampField(new TextEncoder().encode(claim), { id });
        expect((read(stamped) as { id: string }).id).toBe(id);
        expect(stampField(stamped, { id })).toBe(stamped);
      }),
    );
  });

  it("[ID-1] keeps the order of the fields, and is the first where there was none", () => {
    const user = bytes({ id: "alice" });
    const state = new StateBytes(fieldsOf({ a: 1, user: 2, b: 3 }));
    expect([...withField(state, "user", user).fields.keys()]).toEqual(["a", "user", "b"]);
    expect([...withField(new StateBytes(fieldsOf({ a: 1 })), "user", user).fields.keys()]).toEqual(["user", "a"]);
    const known = withField(state, "user", user);
    expect(withField(known, "user", user)).toBe(known);
  });
});
