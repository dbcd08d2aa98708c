/** Our client through the socket of Hocuspocus's provider. */
import { once } from "node:events";
import { Server } from "@hocuspocus/server";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import * as Y from "yjs";
import { decodeTunnel, encodeTunnel } from "../../src/hocuspocus/tunnel.ts";
import { SUBPROTOCOL } from "../../src/hub/index.ts";
import { controlFrame, envelope } from "../../src/wire/index.ts";
import { until } from "../support.ts";
import { kill, ownClient, plainProvider, startServer, tabSocket } from "./server.ts";

describe("our client", () => {
  it("[HOC-4] sees plain providers, and they see it, on the socket that the application has", async () => {
    const { url, server } = await startServer();
    const tab = tabSocket(url);
    const plain = plainProvider(tab, "doc", "alice", null);
    const alice = ownClient(url, "alice", {}, tab);
    const room = alice.join("doc", { doc: plain.doc });
    const bob = plainProvider(tabSocket(url), "doc", "bob");
    await until("she sees him", () => room.roster.get("bob")?.status === "online");
    await until("he sees her", () => bob.awareness.states.has(room.awareness.clientID));
    room.awareness.setLocalStateField("cursor", 5);
    await until("he sees her cursor", () => bob.awareness.states.get(plain.doc.clientID)?.["cursor"] === 5);
    plain.doc.getText("t").insert(0, "text");
    await until("he reads what she writes", () => bob.doc.getText("t").toJSON() === "text");
    bob.doc.getText("t").insert(0, "more ");
    await until("she reads what he writes", () => plain.doc.getText("t").toJSON() === "more text");
    expect(server.hocuspocus.getConnectionsCount()).toBe(2);
  });

  it("[HOC-5] has its lobby on the same socket, of which Hocuspocus opens and stores nothing", async () => {
    const seen: string[] = [];
    const note = ({ documentName }: { readonly documentName: string }) => Promise.resolve(void seen.push(documentName));
    const { url, server, hub } = await startServer({
      extensions: [{ onLoadDocument: note, onStoreDocument: note, onChange: note }],
    });
    const alice = ownClient(url, "alice");
    const bob = ownClient(url, "bob");
    alice.join("doc");
    await until("both are in the lobby", () => alice.lobby.users.length === 2 && bob.lobby.users.length === 2);
    await until("he sees where she is", () => bob.lobby.get("alice")?.sessions[0]?.rooms.includes("doc") === true);
    expect(
      hub
        .users()
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(["alice", "bob"]);
    // what a provider writes to a lobby's name is a document of Hocuspocus's, and no lobby
    expect([seen, server.hocuspocus.getDocumentsCount()]).toEqual([[], 0]);
  });

  it("[HOC-4] is one user with two tabs and a phone: one join, and one leave", async () => {
    const { url, hub } = await startServer({ presence: { leaveGrace: 200 } });
    const events: string[] = [];
    hub.on("event", ({ type, userId, roomId }) => type !== "update" && events.push(`${type} ${userId} ${roomId}`));
    const tabs = [ownClient(url, "alice"), ownClient(url, "alice"), ownClient(url, "alice", { device: "mobile" })];
    for (const tab of tabs) tab.join("doc");
    await until("all are here", () => hub.user("alice")?.sessions.length === 3);
    await until("in the room too", () => hub.room("doc")?.users[0]?.sessions.length === 3);
    for (const tab of tabs) tab.destroy();
    await until("she has left", () => events.filter((event) => event.startsWith("leave")).length === 2);
    expect(events.toSorted()).toEqual(["join alice @lobby", "join alice doc", "leave alice @lobby", "leave alice doc"]);
  });

  it("[HOC-6] that is killed is reconnecting at once, and gone after the grace", async () => {
    const { url } = await startServer({ presence: { leaveGrace: 500 } });
    const alice = ownClient(url, "alice");
    const bob = ownClient(url, "bob");
    await until("he sees her", () => bob.lobby.get("alice")?.status === "online");
    kill(alice.socket);
    await until("she is reconnecting", () => bob.lobby.get("alice")?.reconnecting === true, 400);
    await until(
      "she is gone",
      () => bob.lobby.get("alice")?.status !== "online" || bob.lobby.users.length === 1,
      1_500,
    );
  });

  it("[HOC-8] is through a restart of the server without a leave", async () => {
    const first = await startServer();
    const alice = ownClient(first.url, "alice");
    const room = alice.join("doc");
    const bob = ownClient(first.url, "bob");
    bob.join("doc");
    await until("she sees him", () => room.roster.get("bob")?.status === "online" && alice.lobby.users.length === 2);
    const events: string[] = [];
    for (const roster of [alice.lobby, room.roster]) {
      roster.on("event", ({ type, userId }) => type !== "update" && events.push(`${type} ${userId}`));
    }
    const statuses: string[] = [];
    alice.lobby.on("status", (status) => statuses.push(status));
    await first.stop();
    await until("her roster is stale", () => statuses.includes("stale"));
    await startServer({ port: first.port });
    await until("it is live again", () => alice.lobby.status === "live" && room.roster.status === "live", 10_000);
    await until(
      "he is back",
      () => room.roster.get("bob")?.reconnecting !== true && alice.lobby.users.length === 2,
      10_000,
    );
    expect(events).toEqual([]);
  });

  it("[HOC-9] goes on with a newer token, which onAuthenticate is asked about", async () => {
    const asked: string[] = [];
    let expiresAt = Date.now() + 3_000;
    const { url, hub } = await startServer({
      presence: {
        identify: ({ user }) => (user === undefined ? null : { userId: user.id.split("-")[0] ?? "", expiresAt }),
      },
      extensions: [{ onAuthenticate: ({ token }) => Promise.resolve(void asked.push(token)) }],
    });
    let count = 0;
    const alice = ownClient(url, "alice", { token: () => `alice-${++count}` });
    await until("she is here", () => hub.user("alice")?.status === "online" && alice.lobby.status === "live");
    const statuses: string[] = [];
    alice.lobby.on("status", (status) => statuses.push(status));
    expiresAt = Date.now() + 60_000;
    await until("another token was asked about", () => asked.includes("alice-2"), 4_000);
    expect(statuses).toEqual([]);
    expect(hub.user("alice")?.status).toBe("online");
  });

  it("[HOC-2] is refused without a good token, and the socket goes on", async () => {
    const { url } = await startServer();
    const tab = tabSocket(url);
    const mallory = ownClient(url, "mallory", { token: "forbidden" }, tab);
    await until("she is refused", () => mallory.refusal !== null);
    expect(mallory.refusal).toMatchObject({ code: 4401 });
    const alice = plainProvider(tab, "doc", "alice");
    await until("the socket goes on", () => alice.provider.isAuthenticated);
  });

  it("[HOC-10] is refused for good by a server without the extension, after a few requests", async () => {
    const server = new Server({ address: "127.0.0.1", port: 0, quiet: true, stopOnSignals: false });
    await server.listen();
    onTestFinished(() => server.destroy());
    const timing = { connectTimeoutMs: 20, backoffMs: 1, maxBackoffMs: 1 };
    const alice = ownClient(`ws://127.0.0.1:${server.address.port}`, "alice", { timing });
    await until("she is refused", () => alice.refusal !== null);
    expect(alice.refusal).toMatchObject({ code: 4404, reason: "this Hocuspocus server has no copresence extension" });
  });

  it("[HOC-11] shares a socket with at most fifteen others", async () => {
    const { url } = await startServer();
    const socket = new WebSocket(url);
    onTestFinished(() => socket.terminate());
    await once(socket, "open");
    const told: unknown[] = [];
    socket.on("message", (data: Buffer) => told.push(decodeTunnel(new Uint8Array(data))));
    const request = { lobby: "", token: "", protocols: [SUBPROTOCOL] };
    for (let stream = 1; stream <= 17; stream++) socket.send(encodeTunnel({ type: "open", stream, request }));
    await until("one is refused", () => told.some((each) => (each as { type: string }).type === "close"));
    expect(told.filter((each) => (each as { type: string }).type === "close")).toMatchObject([
      { stream: 17, code: 4503 },
    ]);
  });

  it("[HOC-15] is refused a lobby with a name that none can have, and harms nobody", async () => {
    const { url } = await startServer();
    const alice = ownClient(url, "alice");
    const room = alice.join("doc");
    await until("she is there", () => room.roster.status === "live");
    const socket = new WebSocket(url);
    onTestFinished(() => socket.terminate());
    await once(socket, "open");
    const told: string[] = [];
    socket.on("message", (data: Buffer) => told.push(data.toString("latin1")));
    for (const [i, lobby] of ["x".repeat(100_000), "\ud800", "acme"].entries()) {
      const request = { lobby, token: "mallory", protocols: [SUBPROTOCOL] };
      socket.send(encodeTunnel({ type: "open", stream: i + 1, request }));
      const data = envelope(0, controlFrame({ kind: "open", channel: 1, room: "doc" }));
      socket.send(encodeTunnel({ type: "data", stream: i + 1, data }));
    }
    await until("the last one is let in", () => told.some((each) => each.includes('"kind":"hello"')));
    expect(told.filter((each) => each.includes('"kind":"refused"') && each.includes("4403"))).toHaveLength(2);
    expect(room.roster.status).toBe("live");
  });

  it("[HOC-13] goes on where a document is not allowed, and is refused only there", async () => {
    const { url } = await startServer({
      extensions: [
        {
          onAuthenticate: ({ documentName }) =>
            documentName === "secret" ? Promise.reject(new Error("not yours")) : Promise.resolve(),
        },
      ],
    });
    const alice = ownClient(url, "alice");
    const secret = alice.join("secret");
    const doc = alice.join("doc");
    await until("she is refused there", () => secret.roster.status === "refused");
    expect(secret.roster.refusal).toMatchObject({ code: 4403 });
    await until("and is in elsewhere", () => doc.roster.status === "live" && alice.lobby.status === "live");
  });

  it("shares nothing of the document through the tunnel", async () => {
    const { url, server } = await startServer();
    const alice = ownClient(url, "alice");
    const doc = new Y.Doc();
    const room = alice.join("doc", { doc });
    await until("it is synced", () => room.provider.synced);
    doc.getText("t").insert(0, "hers alone");
    expect(server.hocuspocus.getDocumentsCount()).toBe(0);
    doc.destroy();
  });
});
