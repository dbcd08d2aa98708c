/** Plain providers of Hocuspocus on a server with the extension. */
import { describe, expect, it } from "vitest";
import { type StatusProvider, trackAwareness } from "../../src/client/index.ts";
import { MemoryBus } from "../../src/hub/index.ts";
import { awarenessFrame, encodeEntries } from "../../src/wire/index.ts";
import { saysBack } from "../../src/hocuspocus/bridge.ts";
import { pause, until } from "../support.ts";
import { type Context, kill, plainProvider, startServer, tabSocket } from "./server.ts";

const userOf = (states: Map<number, Record<string, unknown>>, id: number): unknown => states.get(id)?.["user"];

/** Says anything of any client ids in a document. */
function say(
  socket: ReturnType<typeof tabSocket>,
  name: string,
  ...said: [id: number, clock: number, state: unknown][]
) {
  const entries = said.map(([id, clock, state]) => ({
    id,
    clock,
    state: state === null ? null : new TextEncoder().encode(JSON.stringify(state)),
  }));
  const bytes = new TextEncoder().encode(name);
  socket.send(Uint8Array.from([bytes.length, ...bytes, ...awarenessFrame(encodeEntries(entries))]));
}

/** Alice and Bob, each in a tab, who see each other. */
async function aliceAndBob(options: Parameters<typeof startServer>[0] = {}) {
  const running = await startServer(options);
  const [aliceTab, bobTab] = [tabSocket(running.url), tabSocket(running.url)];
  const alice = plainProvider(aliceTab, "doc", "alice");
  const bob = plainProvider(bobTab, "doc", "bob");
  const sees = (one: typeof alice, other: typeof alice): boolean => one.awareness.states.has(other.awareness.clientID);
  await until("they see each other", () => sees(alice, bob) && sees(bob, alice));
  return { ...running, aliceTab, bobTab, alice, bob };
}

describe("plain providers", () => {
  it("[HOC-1] see each other and share a document, and Hocuspocus's own awareness stays empty", async () => {
    const { server, hub, alice, bob } = await aliceAndBob();
    alice.awareness.setLocalStateField("cursor", 7);
    await until("he sees her cursor", () => bob.awareness.states.get(alice.awareness.clientID)?.["cursor"] === 7);
    alice.doc.getText("t").insert(0, "text");
    await until("he reads it", () => bob.doc.getText("t").toJSON() === "text");
    expect(server.hocuspocus.documents.get("doc")?.awareness.getStates().size).toBe(0);
    expect(
      hub
        .room("doc")
        ?.users.map(({ id }) => id)
        .toSorted(),
    ).toEqual(["alice", "bob"]);
    alice.provider.destroy();
    await until("he sees that she left", () => !bob.awareness.states.has(alice.awareness.clientID));
  });

  it("[HOC-2] are who onAuthenticate said, whatever they claim", async () => {
    const { url, hub, bob } = await aliceAndBob();
    const mallory = plainProvider(tabSocket(url), "doc", "mallory", { user: { id: "alice", name: "Alice" } });
    await until("he sees her", () => bob.awareness.states.has(mallory.awareness.clientID));
    expect(userOf(bob.awareness.states, mallory.awareness.clientID)).toMatchObject({ id: "mallory", name: "Mallory" });
    expect(
      hub
        .users()
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(["alice", "bob", "mallory"]);
  });

  it("[HOC-2] have no presence where identify throws, which is reported, and go on with their document", async () => {
    const errors: string[] = [];
    const identify = ({ user }: Context) => {
      if (user?.id === "carol") throw new Error("who is she");
      return user === undefined ? null : { userId: user.id };
    };
    const { url, bob, alice } = await aliceAndBob({
      presence: { identify, onError: (error, where) => errors.push(`${where}: ${String(error)}`) },
    });
    const carol = plainProvider(tabSocket(url), "doc", "carol");
    alice.doc.getText("t").insert(0, "text");
    await until("she reads it", () => carol.doc.getText("t").toJSON() === "text");
    expect(bob.awareness.states.has(carol.awareness.clientID)).toBe(false);
    expect(errors).toEqual(['identify: Error: no presence in the document "doc": Error: who is she']);
  });

  it("[HOC-16] have no presence in a document that is called as no room may be, which is reported, and go on with it", async () => {
    const errors: string[] = [];
    const { url } = await startServer({
      presence: { onError: (error, where) => errors.push(`${where}: ${String(error)}`) },
    });
    const name = `a/../${"x".repeat(100)}`;
    const [alice, bob] = [plainProvider(tabSocket(url), name, "alice"), plainProvider(tabSocket(url), name, "bob")];
    alice.doc.getText("t").insert(0, "text");
    await until("he reads it", () => bob.doc.getText("t").toJSON() === "text");
    expect(bob.awareness.states.has(alice.awareness.clientID)).toBe(false);
    expect(errors).toHaveLength(2);
    expect(errors[0]).toMatch(
      /^identify: Error: no presence in the document "a\/\.\.\/x{59}": .* is no name for a room/,
    );
  });

  it("[HOC-3] cannot set or remove others, which has no effect and closes nothing", async () => {
    const { url, alice, bob } = await aliceAndBob();
    const tab = tabSocket(url);
    const mallory = plainProvider(tab, "doc", "mallory");
    await until("she is in", () => mallory.awareness.states.has(alice.awareness.clientID));
    const far = 2 ** 40;
    const [aliceId, bobId] = [alice.awareness.clientID, bob.awareness.clientID];
    const closes: unknown[] = [];
    for (const { provider } of [alice, bob, mallory]) provider.on("close", (event: unknown) => closes.push(event));
    say(tab, "doc", [aliceId, far, null], [bobId, far, null]);
    say(tab, "doc", [aliceId, far, { user: { id: "alice", name: "forged" } }]);
    say(tab, "doc", [aliceId, 2 ** 53 - 2, { cursor: "forged" }]);
    mallory.awareness.setLocalStateField("cursor", 1);
    await pause(100);
    alice.awareness.setLocalStateField("cursor", 2);
    await until("he sees her cursor", () => bob.awareness.states.get(aliceId)?.["cursor"] === 2);
    expect(userOf(bob.awareness.states, aliceId)).toMatchObject({ id: "alice", name: "Alice" });
    expect(alice.awareness.states.has(bobId)).toBe(true);
    mallory.doc.getText("t").insert(0, "still here");
    await until("her document goes on", () => alice.doc.getText("t").toJSON() === "still here");
    expect(closes).toEqual([]);
  });

  it("[HOC-6] that are killed are reconnecting, and gone after the grace; one that returns was never gone", async () => {
    const { hub, aliceTab, alice, bobTab, bob } = await aliceAndBob({ presence: { leaveGrace: 600 } });
    const events: string[] = [];
    hub.on("event", ({ type, userId, roomId, user }) => {
      if (roomId === "doc") events.push(`${type} ${userId}${user.reconnecting ? " reconnecting" : ""}`);
    });
    const gone: number[] = [];
    bob.awareness.on("change", ({ removed }: { readonly removed: number[] }) => gone.push(...removed));
    (aliceTab.webSocket as unknown as { terminate(): void }).terminate();
    await until("she is reconnecting", () => events.includes("update alice reconnecting"));
    await until("she is back", () => events.includes("update alice"));
    expect([gone, events.filter((event) => !event.startsWith("update"))]).toEqual([[], []]);
    kill(aliceTab);
    await until("she is gone", () => gone.includes(alice.awareness.clientID));
    expect(events.at(-1)).toBe("leave alice");
    expect(bobTab.status).toBe("connected");
  });

  it("[HOC-6] that come back are seen and see everybody at once", async () => {
    const { aliceTab, alice, bob } = await aliceAndBob();
    const [aliceId, bobId] = [alice.awareness.clientID, bob.awareness.clientID];
    (aliceTab.webSocket as unknown as { terminate(): void }).terminate();
    await until("she has lost him", () => !alice.awareness.states.has(bobId));
    await until("she sees him again", () => alice.awareness.states.has(bobId), 2_000);
    alice.awareness.setLocalStateField("cursor", 3);
    await until("he sees what she does", () => bob.awareness.states.get(aliceId)?.["cursor"] === 3, 2_000);
  });

  it("[TRACK-2] have a roster that is stale while their connection is down, of which nobody leaves", async () => {
    const { aliceTab, alice } = await aliceAndBob();
    const { provider, awareness } = alice;
    const roster = trackAwareness(awareness, { provider: provider as unknown as StatusProvider });
    const log: string[] = [];
    roster.on("status", (status) => log.push(status));
    roster.on("event", ({ type, userId }) => type !== "update" && log.push(`${type} ${userId}`));
    await until("it is live", () => roster.status === "live" && roster.get("bob") !== undefined);
    (aliceTab.webSocket as unknown as { terminate(): void }).terminate();
    await until("it is stale", () => roster.status === "stale");
    expect(roster.get("bob")?.reconnecting).toBe(true);
    await until("it is live again", () => roster.status === "live" && roster.get("bob")?.reconnecting === false);
    expect(log.filter((each) => each.startsWith("leave"))).toEqual([]);
    roster.destroy();
  });

  it("[HOC-3] lose their presence in a document for malformed awareness, and not the document", async () => {
    const { alice, bob, bobTab } = await aliceAndBob();
    say(bobTab, "doc", [bob.awareness.clientID, 2 ** 52, { cursor: 1 }]);
    await until("he is gone for her", () => !alice.awareness.states.has(bob.awareness.clientID));
    bob.doc.getText("t").insert(0, "text");
    await until("she reads what he writes", () => alice.doc.getText("t").toJSON() === "text");
    expect(bobTab.status).toBe("connected");
  });

  it("[HOC-7] that say nothing are not given up while their network answers", async () => {
    const running = await startServer({ presence: { pingInterval: 100 }, hocuspocus: { timeout: 400 } });
    const tab = tabSocket(running.url);
    const { provider } = plainProvider(tab, "doc", "alice", null);
    await until("she is in", () => provider.isSynced);
    const closes: unknown[] = [];
    tab.on("close", (event: unknown) => closes.push(event));
    await pause(1_300);
    expect(closes).toEqual([]);
  });

  it("[HOC-12] are seen by the people of other instances on the same bus", async () => {
    const bus = new MemoryBus();
    const first = await startServer({ presence: { bus } });
    const second = await startServer({ presence: { bus } });
    const alice = plainProvider(tabSocket(first.url), "doc", "alice");
    const bob = plainProvider(tabSocket(second.url), "doc", "bob");
    await until("they see each other", () => {
      return alice.awareness.states.has(bob.awareness.clientID) && bob.awareness.states.has(alice.awareness.clientID);
    });
    expect(userOf(bob.awareness.states, alice.awareness.clientID)).toMatchObject({ id: "alice", name: "Alice" });
  });
});

it("knows by its version whether a provider says back what it hears", () => {
  expect([null, "4.0.0", "4.4.2", "4.5.0", "4.8.1", "5.0.0"].map(saysBack)).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});
