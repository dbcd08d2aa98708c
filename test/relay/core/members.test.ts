import { describe, expect, it } from "vitest";
import type { Kind } from "../../../src/awareness/index.ts";
import { openAccess } from "../../../src/relay/access/grants.ts";
import { Members } from "../../../src/relay/core/members.ts";
import type { Member } from "../../../src/relay/ports/member.ts";

function member(kind: Kind, answers = false): Member {
  return {
    kind,
    echoing: "never",
    silent: false,
    lagging: false,
    companions: [],
    address: "::1",
    answers,
    lastSeen: 0,
    access: openAccess("@lobby"),
    send() {},
    cork() {},
    uncork() {},
    charge() {},
    close() {},
  };
}

const counts = ({ size, own, echoing }: Members): readonly number[] => [size, own, echoing];

describe("the members of a room", () => {
  it("are counted as they come and go: all, those who are no other relays, and those who say back what they are told", () => {
    const members = new Members();
    const [alice, bob, relay] = [member("native", true), member("stock"), member("relay")];
    for (const each of [alice, bob, relay, bob]) members.add(each);
    expect(counts(members)).toEqual([3, 2, 0]);
    for (let i = 0; i < 2; i++) members.answered(bob);
    expect(bob.answers).toBe(true);
    expect(counts(members)).toEqual([3, 2, 1]);
    // of our client that says that it reads nothing comes back
    members.answered(alice);
    expect(counts(members)).toEqual([3, 2, 1]);
    for (const each of [bob, relay]) expect(members.delete(each)).toBe(true);
    expect(members.delete(bob)).toBe(false);
    expect(counts(members)).toEqual([1, 1, 0]);
  });

  it("may have answered before they come, and what one says who has left is not counted", () => {
    const members = new Members();
    const [bob, carol] = [member("stock", true), member("stock")];
    members.add(bob).add(carol);
    expect(counts(members)).toEqual([2, 2, 1]);
    members.delete(carol);
    members.answered(carol);
    expect(counts(members)).toEqual([1, 1, 1]);
    members.clear();
    expect(counts(members)).toEqual([0, 0, 0]);
  });
});
