import { describe, expect, it } from "vitest";
import { Doorkeeper } from "../../src/hocuspocus/doorkeeper.ts";

/** Lets in to "doc", and says of "secret" and all else what is thrown. */
const doorkeeper = (thrown: unknown): Doorkeeper<string> =>
  new Doorkeeper((room) => (room === "doc" ? Promise.resolve("alice") : Promise.reject(thrown)));

describe("an error of onAuthenticate", () => {
  it.each([
    [4401, "no", 4401],
    [4403, "no", 4403],
    [4503, "no", 4503],
    [1011, "no", 4401],
    [undefined, "no", 4401],
  ])("[HOC-13] with code %s means that, or that the token is bad", async (code, reason, meant) => {
    const thrown = Object.assign(new Error("no"), { reason }, code !== undefined && { code });
    expect(await doorkeeper(thrown).admit("secret", "t")).toEqual({ ok: false, code: meant, reason });
  });

  it("[HOC-13] without a code means that the room is not allowed, where another room is, asked for before or with it", async () => {
    const keeper = doorkeeper(new Error("no"));
    const [secret, doc] = await Promise.all([keeper.admit("secret", "t"), keeper.admit("doc", "t")]);
    expect([secret, doc]).toEqual([
      { ok: false, code: 4403, reason: "not allowed" },
      { ok: true, value: "alice" },
    ]);
    expect(await keeper.admit("another", "t")).toMatchObject({ code: 4403 });
  });
});
