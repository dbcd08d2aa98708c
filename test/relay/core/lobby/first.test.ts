import { StateMemory } from "../../../../src/awareness/index.ts";
import { describe, expect, it } from "vitest";
import type { Kind } from "../../../../src/awareness/index.ts";
import { usersBeside } from "../../../../src/relay/core/lobby/beside.ts";
import { Watchers } from "../../../../src/relay/core/lobby/watchers.ts";
import type { Room } from "../../../../src/relay/core/room.ts";
import type { RoomAccess } from "../../../../src/relay/ports/access.ts";
import type { Member } from "../../../../src/relay/ports/member.ts";
import { decodeFrame } from "../../../../src/wire/index.ts";

const bob = { user: { name: "Bob" }, sessions: {}, lastSeen: 1 };

function member(kind: Kind, observe: boolean): Member & { readonly told: unknown[] } {
  const access: RoomAccess = {
    user: null,
    lobby: "@lobby",
    observe,
    presence: true,
    read: true,
    write: true,
    expiresAt: null,
  };
  const told: unknown[] = [];
  return {
    kind,
    echoing: "never",
    silent: false,
    lagging: false,
    companions: [],
    address: "",
    answers: true,
    lastSeen: 0,
    access,
    told,
    send({ message }) {
      const frame = decodeFrame(message);
      told.push(frame.type === "control" ? frame.control : frame.type);
    },
    cork: () => {},
    uncork: () => {},
    charge: () => {},
    close: () => {},
  };
}

const watchers = (size: number): Watchers =>
  new Watchers(
    {
      users: () => [],
      size: () => size,
      entryOf: (userId) => (userId === "bob" ? bob : null),
      tellsRooms: true,
      usersBeside: () => new Set(["bob", "eve"]),
    },
    new StateMemory(0),
  );

describe("those whom a newcomer is told of first", () => {
  it.each([
    ["are told to a client of ours, without those who count in another lobby", "native", true, 500, [["bob", bob]]],
    ["are told to no stock client", "stock", true, 500, null],
    ["are told to nobody who may not see who is in the lobby", "native", false, 500, null],
    ["are not told in a small lobby, which comes at once", "native", true, 499, null],
  ] as const)("[LOBBY-19] %s", (_what, kind, observe, size, users) => {
    const alice = member(kind, observe);
    watchers(size).tellFirst(alice);
    expect(alice.told).toEqual(users === null ? [] : [{ kind: "people", users }]);
  });

  it("[LOBBY-19] are those who may be seen in rooms that the client may observe, but so many at most", () => {
    const [one, other] = [member("native", true), member("native", false)];
    const client = { ...one, companions: [one, other] };
    const present = ["alice", "bob", "carol", "dora"].map((id) => ({
      visible: id !== "bob",
      claim: { user: { id } },
    }));
    const room = { register: { present: () => present } } as unknown as Room;
    expect([...usersBeside(client, () => room, 2)]).toEqual(["alice", "carol"]);
    expect([...usersBeside(client, (each) => (each === other ? room : undefined), 2)]).toEqual([]);
  });
});
