import { describe, expect, it, onTestFinished, vi } from "vitest";
import { oncePerSecond, safeReporter } from "../../../src/relay/util/report.ts";
import { startRelay, until } from "../../support.ts";
import { type RawPeer, rawPeer, stateOf } from "../raw.ts";

const prompt = { tick: 0, lobbyTick: 0 };

/** Alice comes, changes and leaves. */
async function visit(peer: RawPeer): Promise<void> {
  peer.say([1, 1, stateOf("alice", "s_1")]);
  await peer.settle();
  peer.say([1, 2, stateOf("alice", "s_1", { status: "away" })]);
  await peer.settle();
  peer.say([1, 3, null]);
  await peer.settle();
}

describe("a listener of the relay that fails", () => {
  it("[HTTP-8] is reported by its type, and keeps nobody from hearing and nothing from being done", async () => {
    const reported: [unknown, string][] = [];
    const { relay, url } = await startRelay({ ...prompt, onError: (error, where) => reported.push([error, where]) });
    const failure = new Error("the application's own");
    // an async function may be given, too
    const rejects = (() => Promise.reject(failure)) as unknown as () => void;
    const heard: string[] = [];
    for (const type of ["join", "update", "leave", "event"] as const) {
      relay.on(type, () => {
        throw failure;
      });
      relay.on(type, rejects);
      relay.on(type, (event) => heard.push(`${type}: ${event.type} ${event.roomId}`));
    }
    const [alice, bob] = [await rawPeer(url, "doc"), await rawPeer(url, "doc")];
    await visit(alice);
    await until("all is heard", () => heard.includes("event: leave @lobby") && heard.includes("leave: leave doc"));
    for (const type of ["join", "update", "leave"]) {
      for (const place of ["doc", "@lobby"]) {
        expect(heard.filter((line) => line === `${type}: ${type} ${place}`).length).toBeGreaterThan(0);
      }
      expect(reported.map(([, where]) => where)).toContain(`a listener of "${type}"`);
    }
    expect(new Set(reported.map(([error]) => error))).toEqual(new Set([failure]));
    await until("each is reported twice", () => reported.length === 2 * heard.length);
    expect(bob.updates.flat().some(([id, , state]) => id === 1 && state === null)).toBe(true);
  });

  it("[HTTP-12] is reported to the console where nothing else is said, once a second", async () => {
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    onTestFinished(() => error.mockRestore());
    const { relay, url } = await startRelay(prompt);
    const failure = new Error("the application's own");
    relay.on("join", () => {
      throw failure;
    });
    await visit(await rawPeer(url, "doc"));
    await until("she has left", () => relay.user("alice")?.status === "offline");
    expect(error.mock.calls).toEqual([['copresence: a listener of "join" failed:', failure]]);
  });

  it("[HTTP-8] nor does it matter that what it is reported to fails as well", async () => {
    for (const onError of [
      () => {
        throw new Error("and so is the log");
      },
      (() => Promise.reject(new Error("and so is the log"))) as unknown as () => void,
    ]) {
      const { relay, url } = await startRelay({ ...prompt, onError });
      relay.on("event", () => {
        throw new Error("the application's own");
      });
      await visit(await rawPeer(url, "doc"));
      await until("she has left", () => relay.user("alice")?.status === "offline");
      expect(() => safeReporter(onError)(new Error("any"), "test")).not.toThrow();
    }
  });

  it("[HTTP-12] [KEY-6] is reported once a second for each place", () => {
    const told: string[] = [];
    let now = 0;
    const report = oncePerSecond(
      (error, where) => told.push(`${where} ${String(error)} ${now}`),
      () => now,
    );
    for (now of [0, 500, 999, 1_000, 1_500]) for (const where of ["a", "b"]) report("x", where);
    expect(told).toEqual(["a x 0", "b x 0", "a x 1000", "b x 1000"]);
  });
});
