/** The programs in examples/, as they are written; the pages are opened by test/e2e and test/installed. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { ownClient as hocuspocusClient, plainProvider, tabSocket } from "./hocuspocus/server.ts";
import { ownClient, startRelay, stockClient, until } from "./support.ts";
import { isThorough } from "./thorough.ts";

const path = (name: string): string => fileURLToPath(new URL(`../examples/${name}`, import.meta.url));

/** Runs an example; what it says is in `said`. */
function run(name: string, args: readonly string[] = [], env: Record<string, string> = {}) {
  const child: ChildProcess = spawn(process.execPath, [path(name), ...args], { env: { ...process.env, ...env } });
  const example = { said: "", child };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (data: Buffer) => void (example.said += data.toString()));
  }
  onTestFinished(() => void child.kill("SIGKILL"));
  return example;
}

it("the script that watches a room says who is there, who comes and who goes", async () => {
  const { url } = await startRelay();
  const alice = ownClient(url, "alice");
  const room = alice.join("doc-1");
  await until("she is there", () => room.roster.status === "live");
  const example = run("node-script/watch.js", ["doc-1", url]);
  await until("it says so", () => example.said.includes("in doc-1: Alice"), 15_000);
  const bob = ownClient(url, "bob");
  bob.join("doc-1");
  await until("he came", () => example.said.includes("Bob came"));
  bob.destroy();
  await until("he left", () => example.said.includes("Bob left"));
  example.child.kill("SIGTERM");
  await until("it has left, too", () => room.roster.get("watcher") === undefined);
});

it("the agent of a backend is in a document with a caret, and goes", async () => {
  const { relay, url, port } = await startRelay({ apiKey: "key" });
  const alice = stockClient(url, "doc-1", { user: { id: "alice", name: "Alice" } });
  alice.doc.getText("text").insert(0, "some text to read");
  await until("she is there", () => relay.room("doc-1")?.users.length === 1);
  const example = run("backend/agent.js", ["doc-1", `http://127.0.0.1:${port}`], { COPRESENCE_API_KEY: "key" });
  await until(
    "it has seen her, and is there",
    () => example.said.includes("in doc-1: Alice\nthe agent is there"),
    15_000,
  );
  const agent = () => [...alice.awareness.getStates().values()].find((state) => state["user"]?.id === "agent:speller");
  await until("she sees its caret", () => agent()?.["cursor"]?.anchor !== undefined);
  expect(agent()).toMatchObject({ copresence: { agent: true }, cursor: { anchor: { tname: "text" } } });
  example.child.kill("SIGTERM");
  await until("it is gone", () => agent() === undefined, 5_000);
});

it("the backend that listens says who is online, who comes and who goes", async () => {
  const { relay, url, port } = await startRelay({ apiKey: "key" });
  ownClient(url, "alice");
  await until("she is online", () => relay.users().length === 1);
  const example = run("backend/online.js", [`http://127.0.0.1:${port}`], { COPRESENCE_API_KEY: "key" });
  await until("it says so", () => example.said.includes("online: Alice"), 15_000);
  const bob = ownClient(url, "bob");
  await until("he came", () => example.said.includes("Bob is online"));
  bob.destroy();
  await until("he left", () => example.said.includes("Bob is offline"));
});

it("the ws server of one's own is a presence server", async () => {
  const example = run("ws-server/server.js", [], { PORT: "0" });
  await until("it listens", () => /listening on \d+/.test(example.said), 15_000);
  const url = `ws://127.0.0.1:${/listening on (\d+)/.exec(example.said)?.[1]}`;
  const alice = ownClient(url, "alice");
  const room = alice.join("doc");
  const bob = stockClient(url, "doc", { user: { id: "bob", name: "Bob" } });
  await until("she sees him", () => room.roster.get("bob") !== undefined && alice.lobby.get("bob") !== undefined);
  await until("he sees her", () => bob.awareness.getStates().size === 2);
  await until("the server says that he came", () => example.said.includes("join bob doc"));
});

it("the Hocuspocus server has presence inside, for plain providers and for our client on their socket", async () => {
  const example = run("hocuspocus/server.js", [], { PORT: "0" });
  await until("it listens", () => /listening on \d+/.test(example.said), 15_000);
  const url = `ws://127.0.0.1:${/listening on (\d+)/.exec(example.said)?.[1]}`;
  const tab = tabSocket(url);
  const alice = plainProvider(tab, "doc-1", "Alice");
  const bob = hocuspocusClient(url, "bob", { token: "Bob" });
  const room = bob.join("doc-1");
  await until("he sees her", () => room.roster.get("alice")?.name === "Alice" && bob.lobby.users.length === 2, 15_000);
  await until("she sees him", () => alice.awareness.states.has(room.awareness.clientID));
  await until("the server says that he came", () => example.said.includes("join bob doc-1"));
});

it("the Express server signs people in, and says who they are", async () => {
  const example = run("express-tokens/server.js", [], { PORT: "0" });
  await until("it listens", () => /localhost:\d+/.test(example.said), 15_000);
  const origin = `127.0.0.1:${/localhost:(\d+)/.exec(example.said)?.[1]}`;
  expect((await fetch(`http://${origin}/token`)).status).toBe(401);
  const token = async (): Promise<string> => await (await fetch(`http://${origin}/token?name=Alice`)).text();
  const alice = ownClient(`ws://${origin}/presence`, "somebody else", { token });
  const room = alice.join("doc-1");
  await until("she is in", () => room.roster.self?.id === "alice");
  await until("it says so", () => example.said.includes("alice came to doc-1"));
});

it("the ws server with messages of its own says who is online, once for both tabs of one person", async () => {
  const example = run("ws-lobby/server.js", [], { PORT: "0" });
  await until("it listens", () => /listening on \d+/.test(example.said), 15_000);
  const url = `ws://127.0.0.1:${/listening on (\d+)/.exec(example.said)?.[1]}`;
  const connect = async () => {
    const socket = new WebSocket(url);
    onTestFinished(() => socket.terminate());
    const heard: { type: string; user?: { id: string; rooms: string[] } }[] = [];
    socket.on("message", (data: Buffer) => heard.push(JSON.parse(data.toString())));
    await until("it answers", () => heard.length > 0);
    return { socket, heard, say: (said: object) => socket.send(JSON.stringify(said)) };
  };
  const observer = await connect();
  expect(observer.heard).toEqual([{ type: "synced", users: [] }]);
  const told = (): string[] =>
    observer.heard.slice(1).map(({ type, user }) => `${type} ${user?.id} ${user?.rooms.join()}`);
  const [laptop, phone] = [await connect(), await connect()];
  laptop.say({ id: "alice", name: "Alice", room: "doc-1" });
  await until("she came", () => told().length === 1);
  phone.say({ id: "alice", name: "Alice", room: "doc-2" });
  await until("she is in two rooms", () => told().length === 2);
  laptop.socket.close();
  await until("she is in one", () => told().length === 3);
  phone.socket.close();
  await until("she left", () => told().length === 4);
  expect(told()).toEqual(["join alice doc-1", "update alice doc-1,doc-2", "update alice doc-2", "leave alice "]);
});

it.runIf(isThorough)(
  "the store of one's own passes the public contract, under Node's own runner",
  async () => {
    const child = spawn(process.execPath, ["--test", path("own-store/json-store.test.js")], { stdio: "pipe" });
    onTestFinished(() => void child.kill("SIGKILL"));
    const [said, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
    expect(said).toContain("loses nothing of many writers while several compact");
    expect(said).toMatch(/# fail 0/);
    expect(code).toBe(0);
  },
  90_000,
);
