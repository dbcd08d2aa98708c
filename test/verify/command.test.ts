/** `copresence verify`, as a command. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runVerify } from "../../src/verify/command.ts";
import { startRelay } from "../support.ts";
import { faultyRelay } from "./faulty-relay.ts";

let out = "";
let err = "";

beforeEach(() => {
  [out, err] = ["", ""];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    err += String(text);
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the command", () => {
  it("[VERIFY-1] prints a card, and its exit code is 0 where no rule is broken", async () => {
    const { url } = await startRelay();
    expect(await runVerify(["--only", "ROOM-1", "--only", "ID-1", `${url}/doc`])).toBe(0);
    expect(out).toMatch(/1 kept, 0 broken, 2 not tried/);
    expect(out).toMatch(/kept {4}ROOM-1 {3}clients in a room see each other, .* — they see each other after \d+ ms/);
    expect(out).toMatch(/not tried: give the token of a client with --token/);
  });

  it("[VERIFY-1] has exit code 1 where a rule is broken, and says what a user would see", async () => {
    const url = await faultyRelay({ options: { leaveGrace: 0 } });
    expect(await runVerify(["--only", "LIVE-2", "--within", "20", url])).toBe(1);
    expect(out).toMatch(
      /BROKEN {2}LIVE-2 {3}who are cut off and come back at once were never gone\n +a link that fails/,
    );
  });

  it("[VERIFY-3] prints the card as JSON when asked for it", async () => {
    const { url } = await startRelay();
    expect(await runVerify(["--json", "--only", "ROOM-1", `${url}/doc`])).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      protocol: "y-websocket",
      kept: 1,
      broken: 0,
      findings: [{ rule: "ROOM-1", verdict: "kept" }],
    });
  });

  it.each([
    [[], /needs one address/],
    [["http://localhost:1234/doc"], /must begin with ws:/],
    [["--frobnicate", "ws://localhost/doc"], /--frobnicate/],
    [["--within", "soon", "ws://localhost/doc"], /--within must be a number of seconds, not "soon"/],
    [["--only", "NONE-1", "ws://localhost/doc"], /no check of NONE-1/],
    [["ws://localhost/100%"], /the room must be percent-encoded UTF-8, not "100%"/],
  ])("refuses %j with exit code 2 and a reason", async (args, reason) => {
    expect(await runVerify(args)).toBe(2);
    expect(err).toMatch(reason);
  });

  it("says that a server lets nobody in, with exit code 1", async () => {
    expect(await runVerify(["ws://127.0.0.1:9/doc"])).toBe(1);
    expect(err).toMatch(/lets nobody in: .*ECONNREFUSED/);
  });

  it("has a help text", async () => {
    expect(await runVerify(["--help"])).toBe(0);
    expect(out).toMatch(/Usage: copresence verify/);
  });
});
