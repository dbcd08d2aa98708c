import { describe, expect, it } from "vitest";
import { type JsonObject, MAX_ID_LENGTH, isGuest, readState, userOf } from "../../src/presence/index.ts";
import { claim } from "./claims.ts";

const ALICE = {
  id: "alice",
  name: "Alice",
  color: "#30bced",
  colorLight: "#30bced33",
  avatar: "https://a.example/a.png",
};
const FULL = {
  session: "s1",
  status: "away",
  manual: { status: "dnd", at: 1_764_000_000_000 },
  device: "mobile",
  since: 1_764_000_000_000,
  meta: { page: "/intro" },
} as const;

describe("readState", () => {
  it("reads what our client writes, and leaves an editor's keys alone", () => {
    const { session, ...rest } = FULL;
    expect(readState(7, { user: ALICE, copresence: FULL, cursor: { anchor: 3 } }, "room")).toEqual({
      user: ALICE,
      session: { id: session, ...rest, rooms: ["room"], reconnecting: false, clientId: 7 },
    });
  });

  it("[STATE-1] takes a state without our key for a session of its own, online on an unknown device", () => {
    const state = { user: { id: "alice" }, cursor: null };
    const stock = { device: "unknown", clientId: 7 } as const;
    expect(readState(7, state, "room")).toEqual(claim("alice", "client:7", stock));
    expect(readState(8, state, "room")).toEqual(claim("alice", "client:8", { ...stock, clientId: 8 }));
  });

  it("[STATE-8] reads name and colour at the top level, where Lexical has them, if there is no `user`", () => {
    const lexical = { anchorPos: null, name: "Alice", color: "#00f", focusing: true, awarenessData: {} };
    expect(readState(7, lexical, "doc")?.user).toEqual({ id: "guest:7", name: "Alice", color: "#00f" });
    expect(readState(7, { ...lexical, user: "Alice" }, "doc")?.user.name).toBe("Alice");
    expect(readState(7, { ...lexical, user: { id: "bob" } }, "doc")?.user).toEqual({ id: "bob" });
    expect(readState(7, { name: 5, color: {}, id: "bob" }, "doc")?.user).toEqual({ id: "guest:7" });
  });

  it("[STATE-2] takes who gives no usable id for a guest, one for each connection", () => {
    const long = "a".repeat(MAX_ID_LENGTH + 1);
    for (const user of [
      undefined,
      null,
      5,
      "alice",
      ["alice"],
      {},
      { id: "" },
      { id: 5 },
      { id: null },
      { id: long },
    ]) {
      expect(readState(7, { user }, "room")?.user).toEqual({ id: "guest:7" });
    }
    const [one, two] = [7, 8].map((id) => readState(id, { user: { name: "Bob" } }, "room")!);
    expect([one!.user, two!.user]).toEqual([
      { id: "guest:7", name: "Bob" },
      { id: "guest:8", name: "Bob" },
    ]);
    expect(isGuest(one!.user.id)).toBe(true);
    expect(userOf(one!.user.id, [one!])).toMatchObject({ guest: true, name: "Bob" });
    expect(userOf("alice", [claim("alice", "s1")]).guest).toBe(false);
  });

  it("takes an id of the greatest length", () => {
    const id = "a".repeat(MAX_ID_LENGTH);
    expect(readState(7, { user: { id }, copresence: { session: id } }, "room")).toMatchObject({
      user: { id },
      session: { id },
    });
  });

  const bad: [field: string, values: unknown[], readAs: object][] = [
    ["session", [1, null, "", {}, "s".repeat(MAX_ID_LENGTH + 1)], { id: "client:7" }],
    ["status", ["busy", "offline", "Online", 1, null, ["away"]], { status: "online" }],
    ["manual", ["dnd", [], null, {}, { status: "dnd" }, { at: 1 }, { status: "online", at: 1 }], { manual: null }],
    ["manual", [-1, 0.5, 2 ** 53, "1", null, NaN].map((at) => ({ status: "dnd", at })), { manual: null }],
    ["device", ["watch", 1, null, "unknown", {}], { device: "unknown" }],
    ["since", [-1, 0.5, 2 ** 53, Infinity, "1", null], { since: 0 }],
    ["meta", ["x", 1, null, ["x"], true], { meta: {} }],
  ];
  it.each(bad)("[STATE-3] takes a wrong %s for absent, and reads the rest", (field, values, readAs) => {
    const whole = readState(7, { user: ALICE, copresence: FULL }, "room")!;
    for (const value of [...values, undefined]) {
      const state = { user: ALICE, copresence: { ...FULL, [field]: value } };
      expect(readState(7, state, "room")).toEqual({ user: ALICE, session: { ...whole.session, ...readAs } });
    }
  });

  it("[STATE-3] takes a wrong name, colour or avatar for absent, and our key when it is no object", () => {
    for (const key of ["name", "color", "colorLight", "avatar"]) {
      const { [key]: _, ...others }: Record<string, string> = ALICE;
      for (const value of [1, null, {}, ["x"]]) {
        expect(readState(7, { user: { ...ALICE, [key]: value } }, "room")?.user).toEqual(others);
      }
    }
    for (const copresence of [null, 1, "s1", [FULL]]) {
      expect(readState(7, { user: ALICE, copresence }, "room")).toEqual(readState(7, { user: ALICE }, "room"));
    }
  });

  it("[STATE-3] a cleared status is a choice that is read", () => {
    const copresence = { ...FULL, manual: { status: null, at: 0 } };
    expect(readState(7, { copresence }, "room")?.session.manual).toEqual({ status: null, at: 0 });
  });

  it("[STATE-13] takes an id that was cut in the middle of an emoji for none", () => {
    const cut = "alice 😀".slice(0, 7);
    const { user, session } = readState(7, { user: { id: cut }, copresence: { session: cut } }, "room")!;
    expect([user.id, session.id]).toEqual(["guest:7", "client:7"]);
    expect(readState(7, { user: { id: "alice 😀" } }, "room")?.user.id).toBe("alice 😀");
  });

  it("[STATE-12] takes __proto__ for a name like any other, but for a session, which is a property in a lobby", () => {
    const inherited = '{"__proto__":{"user":{"id":"mallory"},"copresence":{"session":"s6"}}}';
    expect(readState(7, JSON.parse(inherited), "room")).toEqual(
      claim("guest:7", "client:7", { device: "unknown", clientId: 7 }),
    );
    const source = `{"user":{"id":"__proto__","__proto__":{"name":"M"}},
      "copresence":{"session":"__proto__","__proto__":{"status":"away"},"meta":{"__proto__":{"admin":true}}}}`;
    const { user, session } = readState(7, JSON.parse(source), "room")!;
    expect([user, session.id, session.status]).toEqual([{ id: "__proto__" }, "client:7", "online"]);
    expect(Object.keys(session.meta)).toEqual(["__proto__"]);
    expect((session.meta as JsonObject & { admin?: boolean }).admin).toBeUndefined();
  });

  it("[STATE-3] reads no field that is only inherited, as lib0 makes it of __proto__", () => {
    const heir = (of: object): object => Object.create(of) as object;
    const state = { user: heir({ id: "mallory" }), copresence: heir({ session: "s6", status: "away" }) };
    const nobody = readState(7, {}, "room");
    expect(readState(7, state, "room")).toEqual(nobody);
    expect(readState(7, heir({ user: ALICE, copresence: FULL }), "room")).toEqual(nobody);
  });

  it("[STATE-4] takes a state that is no object for nobody", () => {
    for (const state of [null, undefined, 1, "alice", true, [], [{ user: ALICE }]]) {
      expect(readState(7, state, "room")).toBeNull();
    }
  });
});

it("[STATE-3] a name, a colour or an avatar that is too long to show counts as absent", () => {
  const user = { id: "alice", name: "x".repeat(256), color: "x".repeat(64), avatar: "x".repeat(2_048) };
  expect(readState(1, { user }, "doc")?.user).toEqual(user);
  const longer = Object.fromEntries(Object.entries(user).map(([key, text]) => [key, `${text}y`]));
  expect(readState(1, { user: { ...longer, id: "alice", colorLight: "#fff" } }, "doc")?.user).toEqual({
    id: "alice",
    colorLight: "#fff",
  });
});
