/** What a server of the application may say as it disconnects somebody. */
import { describe, expect, it } from "vitest";
import { kickOf } from "../../../src/relay/wiring/disconnect.ts";
import { readKick, writeKick } from "../../../src/relay/cluster/kicks.ts";
import { closeOf, rawClient, startRelay, until } from "../../support.ts";
import { stateOf, statesFrame } from "../raw.ts";

describe("disconnect", () => {
  it.each([1005, 1006, 999, 2000, 5000, 4403.5, Number.NaN])(
    "[API-23] refuses the code %d before anybody is disconnected",
    async (code) => {
      const { relay, url } = await startRelay({ tick: 0, lobbyTick: 0 });
      const sockets = await Promise.all([rawClient(url, "doc"), rawClient(url, "other")]);
      for (const [i, socket] of sockets.entries()) socket.send(statesFrame([i + 1, 1, stateOf("alice", `s_${i}`)]));
      await until("she is in both", () => relay.user("alice")?.rooms.length === 2);
      expect(() => relay.disconnect("alice", { code })).toThrow(RangeError);
      expect(relay.user("alice")?.rooms).toHaveLength(2);
      const closed = Promise.all(sockets.map(closeOf));
      expect(relay.disconnect("alice", { code: 4001, reason: "漢".repeat(123) }).connections).toBe(2);
      expect((await closed).map((each) => each.code)).toEqual([4001, 4001]);
    },
  );

  it.each([-1, Number.NaN, Infinity, 1e300])("[API-24] refuses nobody for %d ms", (forMs) => {
    expect(() => kickOf("alice", { forMs })).toThrow(/forMs must be ms from 0 to 31622400000/);
  });

  it("[BUS-2] another relay's word is not taken where its code is none", () => {
    const said = kickOf("alice", { code: 4001, forMs: 5, lobby: "acme" });
    expect(readKick(writeKick(said))).toEqual({ said, id: null });
    expect(() => readKick(writeKick({ ...said, code: 1005 }))).toThrow("a kick without a code");
  });
});
