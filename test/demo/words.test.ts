// @vitest-environment happy-dom
/** What the demo says of people and of the connection, as pure functions. */
import { describe, expect, it } from "vitest";
import { ago } from "../../demo/src/ago.ts";
import { sentenceOf, withEvent, type Turns } from "../../demo/src/announce.ts";
import { plainColor } from "../../demo/src/color.ts";
import { initialsOf } from "../../demo/src/initials.ts";
import { placeLabel } from "../../demo/src/page/labels.ts";
import { adviceOn } from "../../demo/src/refusal.ts";
import type { PresenceEvent } from "../../src/client/index.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe("ago", () => {
  it.each([
    [-HOUR, "just now"],
    [44_000, "just now"],
    [45_000, "1 min ago"],
    [HOUR - 1, "59 min ago"],
    [HOUR, "1 hr ago"],
    [24 * HOUR - 1, "23 hr ago"],
    [24 * HOUR, "1 day ago"],
    [47 * HOUR, "1 day ago"],
    [48 * HOUR, "2 days ago"],
  ])("%i ms ago is %s, at midnight and when summer time begins and ends", (passed, words) => {
    for (const now of [
      "2026-11-28T00:00:05Z",
      "2026-03-29T01:00:00Z",
      "2026-10-25T01:00:00Z",
      "2027-01-01T00:00:00Z",
    ]) {
      expect(ago(Date.parse(now) - passed, Date.parse(now))).toBe(words);
    }
  });
});

describe("what a screen reader is told", () => {
  const event = (type: "join" | "leave", userId: string, roomId: string, self = false): PresenceEvent<unknown> =>
    ({
      type,
      userId,
      roomId,
      user: { id: userId, name: userId, guest: false, self },
    }) as unknown as PresenceEvent<unknown>;
  const said = (...events: PresenceEvent<unknown>[]): string => {
    let turns: Turns = new Map();
    for (const next of events) turns = withEvent(turns, next, "notes");
    return sentenceOf(turns);
  };

  it("Bob came online and opened the document: the latter is enough", () => {
    expect(said(event("join", "Bob", "@lobby"), event("join", "Bob", "notes"))).toBe("Bob opened this document.");
  });

  it("Bob closed the page: he went offline", () => {
    expect(said(event("leave", "Bob", "notes"), event("leave", "Bob", "@lobby"))).toBe("Bob went offline.");
  });

  it("Bob came and went, and Alice, who listens, did too: nothing is said", () => {
    const bob = [event("join", "Bob", "@lobby"), event("join", "Bob", "notes")];
    const gone = [event("leave", "Bob", "@lobby"), event("leave", "Bob", "notes")];
    expect(said(...bob, ...gone, event("join", "Alice", "notes", true))).toBe("");
  });

  it("a few are named, many are counted", () => {
    const join = (name: string): PresenceEvent<unknown> => event("join", name, "@lobby");
    expect(said(join("Bob"), join("Carol"), event("leave", "Dan", "notes"))).toBe(
      "Bob and Carol are online. Dan left this document.",
    );
    expect(said(...["A", "B", "C", "D"].map(join))).toBe("4 people are online.");
  });
});

describe("names", () => {
  it.each([
    ["Alice", "A"],
    ["alice von adams", "AA"],
    ["  Alice   Adams ", "AA"],
    ["e\u0301lise", "E\u0301"],
    ["👩‍🚀 Bob", "👩‍🚀B"],
    ["", ""],
  ])("the initials of %j are %j", (name, initials) => {
    expect(initialsOf(name)).toBe(initials);
  });

  it.each(["#2a73c4", "#fff", "red", "hsl(200 80% 60%)", "color(display-p3 1 0 0)"])("%s is a colour", (color) => {
    expect(plainColor(` ${color} `)).toBe(color);
  });

  it.each([undefined, "", "transparent", "currentColor", "var(--paper)", "red; background: url(x)", "url(x)", "#12"])(
    "%j is no colour to draw somebody with",
    (color) => {
      expect(plainColor(color)).toBeNull();
    },
  );
});

describe("the label at a caret", () => {
  const page = { left: 100, right: 300, top: 50, bottom: 500 };
  const box = (left: number, top: number, width: number, height: number) => ({
    left,
    top,
    right: left + width,
    bottom: top + height,
  });

  it.each([
    ["in the middle it stays above its caret", 150, 200, 80, { dx: 0, below: false }],
    ["at the right edge it gives way to the left", 280, 200, 80, { dx: -60, below: false }],
    ["at the left edge it gives way to the right", 90, 200, 80, { dx: 10, below: false }],
    ["one wider than the page keeps its beginning", 250, 200, 240, { dx: -150, below: false }],
    ["at the top edge it goes below its caret", 150, 60, 80, { dx: 0, below: true }],
  ])("%s", (_name, left, top, width, placement) => {
    expect(placeLabel(box(left, top - 16, width, 16), box(left, top, 2, 20), page)).toEqual(placement);
  });

  it("where there is no room below either, it stays above", () => {
    const low = { ...page, bottom: 90 };
    expect(placeLabel(box(150, 44, 80, 16), box(150, 60, 2, 20), low).below).toBe(false);
  });
});

describe("a final refusal", () => {
  it.each([
    [4400, "all", false, "reload"],
    [4401, "all", true, "sign-in"],
    [4401, "all", false, null],
    [4403, "document", true, "other-document"],
    [4403, "lobby", true, null],
    [4403, "all", true, null],
    [4413, "document", true, null],
    [4499, "document", true, "reload"],
  ] as const)("%i for %s is explained in the relay's words, with what to do", (code, refused, isSignedIn, action) => {
    const advice = adviceOn({ code, reason: "the relay's words" }, refused, isSignedIn);
    expect(advice.action).toBe(action);
    expect(advice.why).toContain("“the relay's words”");
    expect(advice.what).toMatch(/\.$/);
    expect(adviceOn({ code, reason: "" }, refused, isSignedIn).why).not.toContain("“”");
  });
});
