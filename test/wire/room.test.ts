import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  FrameError,
  MAX_ROOM_LENGTH,
  checkRoomName,
  isLobby,
  isReserved,
  isRoomName,
  checkedLobbyRoom,
  lobbyRoom,
  roomFromPath,
  roomToPath,
} from "../../src/wire/index.ts";

/** Names that can stand in a URL: whole characters, and no segment that a URL takes for a step. */
const anyRoom = fc
  .string({ unit: "binary", minLength: 1, maxLength: 40 })
  .filter((room) => !room.split("/").some((segment) => segment === "." || segment === ".."));

describe("room names", () => {
  it("[WIRE-4] are the path without its first slash, percent-decoded", () => {
    const rooms: [path: string, room: string][] = [
      ["/notes", "notes"],
      ["notes", "notes"],
      ["/a/b", "a/b"],
      ["/a%2Fb", "a/b"],
      ["//a", "/a"],
      ["/%2540lobby", "%40lobby"],
      ["/%40lobby/acme", "@lobby/acme"],
      ["/%C3%A9%F0%9F%98%80", "é😀"],
      ["/a+b", "a+b"],
      ["/__proto__", "__proto__"],
    ];
    for (const [path, room] of rooms) expect(roomFromPath(path)).toBe(room);
  });

  it("[WIRE-4] come out of a URL as they went in", () => {
    fc.assert(
      fc.property(anyRoom, (room) => {
        const path = roomToPath(room);
        expect(roomFromPath(path)).toBe(room);
        expect(new URL(`ws://relay.example${path}?lobby=acme`).pathname).toBe(path);
      }),
      { numRuns: 1_000 },
    );
    expect(roomToPath("team/näme?#%")).toBe("/team/n%C3%A4me%3F%23%25");
  });

  it("[WIRE-4] are refused when empty, too long or not UTF-8", () => {
    for (const path of ["", "/"]) expect(() => roomFromPath(path)).toThrow(new FrameError("room name is empty"));
    for (const path of ["/%", "/%ff", "/%C3", "/%ED%A0%80", "/a%zz"]) {
      expect(() => roomFromPath(path)).toThrow(new FrameError("room name is not valid UTF-8"));
    }
    expect(roomFromPath(`/${"a".repeat(MAX_ROOM_LENGTH)}`)).toHaveLength(512);
    // its length is that of the name, not of the path
    expect(roomFromPath(`/${"%20".repeat(MAX_ROOM_LENGTH)}`)).toHaveLength(512);
    expect(() => roomFromPath(`/${"a".repeat(MAX_ROOM_LENGTH + 1)}`)).toThrow(
      "room name is longer than 512 characters",
    );
  });

  it("[WIRE-4] that start with @ are reserved, but for lobbies", () => {
    for (const room of ["@lobby", "@lobby/acme", "@lobby/a/b", "@lobby/@lobby"]) {
      expect([isLobby(room), isReserved(room)]).toEqual([true, false]);
    }
    for (const room of ["@", "@lobby/", "@lobbyist", "@Lobby", "@other"]) {
      expect([isLobby(room), isReserved(room)]).toEqual([false, true]);
    }
    for (const room of ["notes", "lobby", "a@lobby", "/@lobby"]) {
      expect([isLobby(room), isReserved(room)]).toEqual([false, false]);
    }
  });
});

describe("lobby names", () => {
  it("[LOBBY-8] are the same short and whole, and the default when there is none", () => {
    for (const name of [undefined, null, "", "@lobby", "@lobby/"]) expect(lobbyRoom(name)).toBe("@lobby");
    for (const name of ["acme", "@lobby/acme"]) expect(lobbyRoom(name)).toBe("@lobby/acme");
    expect(lobbyRoom("lobby")).toBe("@lobby/lobby");
  });

  it.each([5, {}, ["acme"], true])("[LOBBY-8] are texts, and not %j", (name) => {
    expect(() => checkedLobbyRoom(name)).toThrow(new TypeError("the name of a lobby is a text"));
  });

  it("[LOBBY-8] always name a lobby, and the lobby that they name", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((name) => `@lobby${name}`),
        ),
        (name) => {
          const room = lobbyRoom(name);
          expect(isLobby(room)).toBe(true);
          expect(lobbyRoom(room)).toBe(room);
        },
      ),
    );
  });
});

describe("a name that no URL carries as it is", () => {
  it.each(["", "x".repeat(513), "..", "a/./b", "half \ud83d"])("is refused: %j", (name) => {
    expect(() => checkRoomName(name)).toThrow(
      new RangeError(`"${name.slice(0, 64)}" is no name for a room (1 to 512 characters, no segment "." or "..")`),
    );
  });

  it.each([undefined, null, 5, {}, ["doc"]])("[WIRE-4] is no text: %j", (name) => {
    expect(isRoomName(name)).toBe(false);
    expect(() => checkRoomName(name)).toThrow(RangeError);
  });

  it("is none of those that a URL gives back", () => {
    fc.assert(
      fc.property(anyRoom, (room) => {
        expect(() => checkRoomName(room)).not.toThrow();
        const { pathname } = new URL(roomToPath(room), "ws://relay");
        expect(roomFromPath(pathname)).toBe(room);
      }),
    );
  });
});
