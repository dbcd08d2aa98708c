import { describe, expect, it } from "vitest";
import { explain, lineOf } from "../../src/explain/index.ts";
import { aboutSession, explainUser } from "../../src/explain/user.ts";
import { type Claim, departed, userOf } from "../../src/presence/index.ts";
import { ownClient, startRelay, until } from "../support.ts";

const NOON = 1_764_000_000_000;

function claim(id: string, session: Partial<Claim["session"]> = {}): Claim {
  return {
    user: { id: "bob", name: "Bob" },
    session: {
      id,
      status: "online",
      manual: null,
      device: "desktop",
      since: NOON,
      meta: {},
      rooms: [],
      reconnecting: false,
      clientId: 7,
      ...session,
    },
  };
}

const lines = (...claims: Claim[]): string[] =>
  explainUser(userOf("bob", claims)).map((each) => lineOf(each, (at) => String(at - NOON)));

describe("why a user is shown so", () => {
  it("[WHY-1] names the rule, and since when", () => {
    expect(lines(claim("s_1"))).toEqual([
      "0: online: nothing was chosen, and a session is online [STATUS-1]",
      "0: desktop s_1: online, its page is in view and in use, or was a moment ago [ACT-1]",
    ]);
    expect(lines(claim("s_1", { status: "away", device: "mobile", since: NOON + 4 }))).toEqual([
      "4: away: nothing was chosen, and no session is online [STATUS-1]",
      "4: mobile s_1: away, hidden for 15 s, or without input for 5 min [ACT-2]",
    ]);
    expect(lines(claim("s_1", { manual: { status: "dnd", at: NOON + 7 } }))[0]).toBe(
      "7: dnd: the newest choice of status over all sessions [STATUS-1]",
    );
    expect(lines(claim("s_1", { manual: { status: "invisible", at: NOON } }))[0]).toMatch(
      /others see offline \[STATUS-5\]$/,
    );
    expect(lines(claim("s_1", { reconnecting: true }))).toEqual([
      "reconnecting: every connection was lost, and may come back within the grace [LIVE-2]",
      "desktop s_1: reconnecting, its connection was lost [LIVE-2]",
    ]);
  });

  it("[WHY-1] says that several sessions are one user, and what is no person", () => {
    const three = [claim("s_1", { rooms: ["doc"] }), claim("s_2", { device: "mobile" }), claim("s_3")];
    expect(lines(...three)[1]).toBe("counted once: 3 sessions on desktop, mobile in 1 room [USER-1]");
    const agent = explainUser(userOf("robot", [claim("s_1", { agent: true, onBehalfOf: "alice" })]));
    expect(agent.map(({ rule }) => rule)).toEqual(["STATUS-1", "API-31", "ACT-1"]);
    const guest = explainUser(userOf("guest:7", [claim("client:7", { device: "unknown" })]));
    expect(guest.map(({ rule }) => rule)).toEqual(["STATUS-1", "STATE-2", "ACT-1"]);
  });

  it("[WHY-1] says what is known of somebody who is not here", () => {
    const left = explainUser(departed({ id: "bob" }, NOON));
    expect(left).toEqual([{ rule: "USER-7", text: "offline: no session is left; last known to be alive", at: NOON }]);
    expect(explainUser(undefined).map(({ rule }) => rule)).toEqual(["STATUS-5"]);
  });

  it("[WHY-1] what the relay knows of a session stands in place of what the session says", () => {
    const facts = () => [{ rule: "LIVE-8", text: "its page has said nothing for 75 s", at: null }];
    expect(aboutSession(claim("s_1").session, facts)).toEqual([
      { rule: "LIVE-8", text: "desktop s_1: its page has said nothing for 75 s", at: null },
    ]);
  });
});

it("[WHY-2] a client explains by its own roster, and says when that cannot be relied on", async () => {
  const { url, relay } = await startRelay();
  const alice = ownClient(url, "alice");
  const bob = ownClient(url, "bob");
  expect(explain(alice.lobby, "bob").reasons[0]).toMatchObject({ rule: "ROSTER-5" });
  bob.setStatus("busy");
  await until("Alice sees that he is busy", () => alice.lobby.get("bob")?.status === "busy");
  const { user, reasons } = explain(alice.lobby, "bob");
  expect(user?.name).toBe("Bob");
  expect(reasons[0]).toMatchObject({ rule: "STATUS-1", text: "busy: the newest choice of status over all sessions" });
  expect(Math.abs((reasons[0]?.at ?? 0) - Date.now())).toBeLessThan(60_000);
  expect(lineOf(reasons[0] ?? { rule: "", text: "", at: null })).toMatch(/^\d+:\d+.*: busy: .* \[STATUS-1\]$/);
  await relay.close();
  await until("her roster is stale", () => alice.lobby.status === "stale");
  expect(explain(alice.lobby, "bob").reasons[0]?.text).toContain("as it was then");
});
