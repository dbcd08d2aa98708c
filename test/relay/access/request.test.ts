import { describe, expect, it } from "vitest";
import { admit, chooseProtocol, tokenOf } from "../../../src/relay/access/request.ts";

describe("admit", () => {
  it.each([
    ["/doc", "doc", "@lobby"],
    ["/doc?lobby=acme", "doc", "@lobby/acme"],
    ["/doc?x=1&lobby=%40lobby%2Facme&y", "doc", "@lobby/acme"],
    ["/doc?lobby=@lobby", "doc", "@lobby"],
    ["/doc?lobby=", "doc", "@lobby"],
    ["/doc?", "doc", "@lobby"],
    ["/a/b%20c/d%3Fe", "a/b c/d?e", "@lobby"],
    ["//doc/", "/doc/", "@lobby"],
    ["/%F0%9F%A6%8A", "🦊", "@lobby"],
    ["/__proto__", "__proto__", "@lobby"],
    [`/${"r".repeat(512)}`, "r".repeat(512), "@lobby"],
    // a client that connects to a lobby counts in that one, whatever it says besides
    ["/@lobby?lobby=acme", "@lobby", "@lobby"],
    ["/%40lobby/acme", "@lobby/acme", "@lobby/acme"],
  ])("[LOBBY-8] takes %s", (target, room, lobby) => {
    expect(admit(target)).toEqual({ ok: true, room, lobby });
  });

  it.each([
    ["/", 4400, "room name is empty"],
    ["", 4400, "room name is empty"],
    ["/?lobby=acme", 4400, "room name is empty"],
    ["/%ff", 4400, "room name is not valid UTF-8"],
    ["/%", 4400, "room name is not valid UTF-8"],
    [`/${"r".repeat(513)}`, 4400, "room name is longer than 512 characters"],
    ["/a/%2e%2e/b", 4400, 'room name has a segment "." or "..", or is not valid UTF-8'],
    ["/doc?lobby=a/..", 4400, "there can be no lobby of this name"],
    [`/doc?lobby=${"l".repeat(512)}`, 4400, "there can be no lobby of this name"],
    ["/@", 4403, "room names that start with @ are reserved"],
    ["/@lobbyist", 4403, "room names that start with @ are reserved"],
    ["/@lobby/", 4403, "room names that start with @ are reserved"],
    ["/%40relay/1", 4403, "room names that start with @ are reserved"],
  ])("[WIRE-4] refuses %s", (target, code, reason) => {
    expect(admit(target)).toMatchObject({ ok: false, code, reason });
  });
});

describe("chooseProtocol", () => {
  it.each([
    [["copresence.v2"], "copresence.v2"],
    [["auth.abc", "copresence.v2"], "copresence.v2"],
    // a browser drops a connection whose server takes none of what it offered
    [["auth.abc", "graphql-ws"], "auth.abc"],
    [[], false],
    [["copresence.auth.t", "copresence.v1", "copresence.v2"], "copresence.v2"],
    // a client of another release is a stock client
    [["copresence.auth.t", "copresence.v1"], "copresence.v1"],
    [["copresence.auth.t", "y-websocket"], "y-websocket"],
    [["copresence.auth.t"], null],
  ])("[WIRE-1] of %j takes %s", (offered, chosen) => {
    expect(chooseProtocol(new Set(offered))).toBe(chosen);
  });
});

describe("tokenOf", () => {
  it.each<[string | undefined, string, string | null]>([
    [undefined, "/doc", null],
    [undefined, "/doc?token=a.b.c&x=1", "a.b.c"],
    [undefined, "/doc?token=", ""],
    ["copresence.v2, copresence.auth.a.b.c", "/doc", "a.b.c"],
    ["copresence.auth.a.b.c,copresence.v1", "/doc?token=other", "a.b.c"],
    ["copresence.v2", "/doc?token=a%2Bb", "a+b"],
    ["copresence.authx", "/token=a", null],
  ])("[AUTH-2] of %j and %s is %j", (offered, target, token) => {
    expect(tokenOf(offered, target)).toBe(token);
  });
});
