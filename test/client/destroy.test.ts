import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import * as Y from "yjs";
import { ownClient, startRelay, until } from "../support.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What each program begins with; it is to end by itself, once it has said so. */
const prelude = `
  import { once } from "node:events";
  import { createServer } from "node:net";
  import { WebSocket } from "ws";
  import * as Y from "yjs";
  import { createPresence, trackAwareness } from "./dist/client/index.js";
  import { createRelay } from "./dist/relay/index.js";

  const client = (url, id, options) => createPresence(url, { user: { id }, WebSocket, ...options });
  const until = async (condition) => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const listening = async (onConnection) => {
    const server = createServer(onConnection).listen(0, "127.0.0.1").unref();
    await once(server, "listening");
    return { server, url: "ws://127.0.0.1:" + server.address().port };
  };
`;

const programs: [string, string][] = [
  [
    "a relay and its clients, connected",
    `
      const relay = createRelay({ tick: 0, lobbyTick: 0 });
      const { url } = await relay.listen(0, "127.0.0.1");
      const doc = new Y.Doc();
      const [alice, bob] = [client(url, "alice"), client(url, "bob")];
      const [room, other] = [alice.join("doc", { doc }), bob.join("doc")];
      bob.join("more");
      const tracked = trackAwareness(other.awareness);
      await until(() => room.roster.users.length === 2 && alice.lobby.usersIn("more").length === 1);
      doc.getMap().set("key", "value");
      await until(() => other.doc.getMap().get("key") === "value");
      bob.setStatus("dnd");
      room.leave();
      tracked.destroy();
      alice.destroy();
      bob.destroy();
      bob.destroy();
      await relay.close();
      await relay.close();
    `,
  ],
  [
    "a relay that is closed under its clients, and then they",
    `
      const relay = createRelay({ tick: 0, lobbyTick: 0 });
      const { url } = await relay.listen(0, "127.0.0.1");
      const alice = client(url, "alice");
      const room = alice.join("doc");
      await until(() => room.roster.status === "live" && alice.lobby.status === "live");
      await relay.close();
      await until(() => room.roster.status === "stale" && alice.lobby.status === "stale");
      alice.destroy();
      room.leave();
    `,
  ],
  ["a relay that nobody ever listened to", `await createRelay().close();`],
  [
    "a client that is connecting",
    `
      let connections = 0;
      const { url } = await listening((socket) => socket.on("error", () => {}).unref() && connections++);
      const alice = client(url, "alice");
      alice.join("doc");
      await until(() => connections === 1);
      alice.destroy();
    `,
  ],
  [
    "a client that has hardly begun",
    `
      const { url } = await listening((socket) => socket.on("error", () => {}).unref());
      const alice = client(url, "alice");
      alice.join("doc");
      alice.destroy();
    `,
  ],
  [
    "a client that waits to try again",
    `
      const { server, url } = await listening((socket) => socket.destroy());
      server.close();
      let closed = 0;
      class CountedSocket extends WebSocket {
        constructor(...args) {
          super(...args);
          this.on("close", () => closed++);
        }
      }
      const timing = { backoffMs: 1e8, maxBackoffMs: 1e8 };
      const alice = client(url, "alice", { WebSocket: CountedSocket, timing });
      alice.join("doc");
      await until(() => closed === 1);
      alice.destroy();
    `,
  ],
];

interface Outcome {
  readonly code: number | null;
  readonly said: string;
}

function outcome(child: ChildProcess): Promise<Outcome> {
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (data: Buffer) => (said += data.toString()));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, said })));
}

describe("what is left after the end", () => {
  it.for(programs)("[RUN-3] is nothing that keeps a process alive: %s", async ([, code]) => {
    const program = `${prelude}${code}; console.log("end");`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { cwd: root });
    onTestFinished(() => void child.kill("SIGKILL"));
    const result = outcome(child);
    let ended: Outcome | undefined;
    void result.then((value) => (ended = value));
    await until("it ends by itself", () => ended !== undefined, 10_000);
    expect(ended).toEqual({ code: 0, said: "end\n" });
  });

  it("[RUN-3] is no listener on a document that was lent", async () => {
    const { url } = await startRelay();
    const alice = ownClient(url, "alice");
    const doc = new Y.Doc();
    const listenedTo = (): Set<string> => new Set((Reflect.get(doc, "_observers") as Map<string, unknown>).keys());
    // y-protocols keeps one for the document's end
    const before = listenedTo().add("destroy");
    const room = alice.join("doc", { doc });
    expect(listenedTo()).toEqual(new Set([...before, "update", "afterTransaction", "afterTransactionCleanup"]));
    room.leave();
    expect(listenedTo()).toEqual(before);
    alice.join("doc", { doc });
    alice.destroy();
    expect(listenedTo()).toEqual(before);
  });
});
