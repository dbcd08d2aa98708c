/** How soon a client has everything back when its link comes back: counted in round trips, not in time. */
import { expect, it } from "vitest";
import { WebSocket } from "ws";
import { tcpProxy } from "../../proxy.ts";
import { ownClient, startRelay, until } from "../../support.ts";

/** Whether what a client says is held back, but for what it says in the moment in which its socket opens. */
let isHeld = false;
const held: (() => void)[] = [];

class FirstWordsOnly extends WebSocket {
  #mayTalk = true;

  constructor(url: string, protocols?: string[]) {
    super(url, protocols);
    // the client, which listens to the same event, says its first words before the microtask runs
    this.on("open", () => queueMicrotask(() => (this.#mayTalk = !isHeld)));
  }

  override send(data: Uint8Array): void {
    if (this.#mayTalk) super.send(data);
    else held.push(() => super.send(data));
  }

  /** Says what was held back. */
  static release(): void {
    isHeld = false;
    for (const say of held.splice(0)) say();
  }
}

it("[LINK-3] has five rooms back, with all who are in them, one round trip after its socket opens", async () => {
  const { url, port } = await startRelay({ tick: 0, lobbyTick: 0, leaveGrace: 10_000 });
  const proxy = await tcpProxy(port);
  const names = ["a", "b", "c", "d", "e"];
  const bob = ownClient(url, "bob");
  const his = names.map((name) => bob.join(name));
  const timing = { backoffMs: 20, maxBackoffMs: 100 };
  const alice = ownClient(proxy.url, "alice", { WebSocket: FirstWordsOnly, timing });
  const hers = names.map((name) => alice.join(name));
  await until("all see all", () => [...his, ...hers].every(({ roster }) => roster.users.length === 2));
  const log: string[] = [];
  for (const { roster } of [...his, ...hers]) roster.on("event", ({ type }) => type !== "update" && log.push(type));

  proxy.cut();
  await until("she is cut off", () => hers.every(({ roster }) => roster.status === "stale"));
  for (const { doc, name } of his) doc.getText("text").insert(0, `Bob in ${name}`);
  isHeld = true;
  proxy.restore();
  // nothing but her first words has reached the relay: these are its answers to them
  await until("all her rooms are live", () => hers.every(({ roster }) => roster.status === "live"));
  expect(hers.map(({ roster }) => roster.users.map(({ id }) => id))).toEqual(names.map(() => ["alice", "bob"]));
  expect(held.length).toBeGreaterThan(0);

  // her answers to these: with them others have her back, and she has what was written
  FirstWordsOnly.release();
  await until("he has her back in all of them", () =>
    his.every(({ roster }) => roster.get("alice")?.reconnecting === false),
  );
  await until("she has his words", () =>
    hers.every(({ doc, name }) => doc.getText("text").toJSON() === `Bob in ${name}`),
  );
  expect(log).toEqual([]);
});
