/** What an application gives to a client and cannot be used. */
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { createPresence } from "../../src/client/index.ts";
import { LINK_SUBPROTOCOL } from "../../src/wire/index.ts";

describe("what an application gives", () => {
  const url = "ws://127.0.0.1:1";
  const user = { id: "alice" };
  const making = (options: object) => (): void => {
    createPresence(url, { user, WebSocket, connect: false, ...options }).destroy();
  };

  it.each([
    [{ timing: { backoffMs: NaN } }, new RangeError("backoffMs must be ms")],
    [{ timing: { maxBackoffMs: -1 } }, new RangeError("maxBackoffMs must be ms")],
    [{ timing: { maxBackoffMs: "soon" } }, new RangeError("maxBackoffMs must be ms")],
    [{ activity: { idleMs: NaN } }, new RangeError("idleMs must be ms")],
    [{ lobby: 5 }, /^"5" is no name for a room/],
    [{ lobby: {} }, /is no name for a room/],
  ])("[CLIENT-18] and cannot be used is refused: %j", (options, message) => {
    expect(making(options)).toThrow(message);
  });

  it("[CLIENT-18] [TOKEN-1] and is undefined, or a token that is null, is as if it had not been given", () => {
    expect(making({ timing: { backoffMs: undefined }, activity: { idleMs: undefined }, lobby: null })).not.toThrow();
    const dialed: string[][] = [];
    class Dialed {
      constructor(_url: string, protocols: string[]) {
        dialed.push(protocols);
      }
      close(): void {}
    }
    const presence = createPresence(url, {
      user,
      WebSocket: Dialed as never,
      token: null as unknown as string,
      timing: { backoffMs: undefined as never },
    });
    presence.destroy();
    expect(dialed).toEqual([[LINK_SUBPROTOCOL]]);
  });

  it.each(["room", "roster", "lobby"] as const)(
    "[CLIENT-18] as an event that there is none of is refused by the %s",
    (where) => {
      const presence = createPresence(url, { user, connect: false });
      const room = presence.join("doc");
      const on = {
        room: () => room.on("mesage" as "message", () => {}),
        roster: () => room.roster.on("jion" as "join", () => {}),
        lobby: () => presence.lobby.on("jion" as "join", () => {}),
      };
      expect(on[where]).toThrow(/^on\("(mesage|jion)"\): no function, or none of /);
      expect(() => presence.join(undefined as unknown as string)).toThrow(/^"undefined" is no name for a room/);
      presence.destroy();
    },
  );
});
