import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { Packet } from "../../../src/relay/ports/packet.ts";
import { WebSocketServerSocket } from "../../../src/relay/transport/websocket.ts";
import { until } from "../../support.ts";

const undo: (() => void)[] = [];
afterEach(() => {
  for (const each of undo.splice(0)) each();
});

/** A socket of the relay, what its other end has been told, and how often the kernel was written to. */
async function pair() {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
  undo.push(() => server.close());
  await once(server, "listening");
  const connected = once(server, "connection");
  const alice = new WebSocket(`ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
  undo.push(() => alice.terminate());
  await Promise.all([connected, once(alice, "open")]);
  const heard: string[] = [];
  alice.on("message", (data: Buffer) =>
    heard.push(data.length > 100 ? `${String(data.length)} bytes` : data.toString()),
  );
  alice.on("ping", () => heard.push("ping"));
  alice.on("close", (code) => heard.push(`closed ${String(code)}`));
  const [webSocket, { socket }] = (await connected) as [WebSocket, { socket: import("node:net").Socket }];
  const writes: number[] = [];
  const write = socket.write.bind(socket);
  socket.write = (data: Buffer, ...rest: []) => {
    writes.push(data.length);
    return write(data, ...rest);
  };
  const relay = new WebSocketServerSocket(webSocket, socket);
  const say = (text: string, onLeft?: () => void): void => relay.send(new Packet(Buffer.from(text)), null, onLeft);
  return { relay, webSocket, heard, writes, say };
}

describe("a WebSocket of the relay", () => {
  it("[DOC-22] writes what is sent while it is corked at once, in order", async () => {
    const { relay, heard, writes, say } = await pair();
    say("before");
    relay.cork();
    say("text");
    say("cursor");
    expect(relay.bufferedAmount).toBeGreaterThanOrEqual("textcursor".length);
    expect(writes).toHaveLength(1);
    relay.uncork();
    say("after");
    expect(writes).toHaveLength(3);
    await until("heard all", () => heard.length === 4);
    expect(heard).toEqual(["before", "text", "cursor", "after"]);
  });

  it("keeps the order of what is long, of what is waited for, and of a ping", async () => {
    const { relay, heard, say } = await pair();
    let left = 0;
    relay.cork();
    say("text");
    say("x".repeat(100_000));
    say("cursor");
    say("shared", () => left++);
    say("name");
    relay.ping();
    say("last");
    relay.uncork();
    await until("heard all", () => heard.length === 7);
    expect(heard).toEqual(["text", "100000 bytes", "cursor", "shared", "name", "ping", "last"]);
    expect(left).toBe(1);
  });

  it("writes what it holds before it closes, and nothing after", async () => {
    const { relay, heard, say } = await pair();
    relay.cork();
    say("text");
    relay.close(4003, "no");
    say("too late");
    relay.uncork();
    await until("heard all", () => heard.length === 2);
    expect(heard).toEqual(["text", "closed 4003"]);
  });

  it("holds nothing for one that was cut off", async () => {
    const { relay, webSocket, heard, say } = await pair();
    const errors: unknown[] = [];
    webSocket.on("error", (error) => errors.push(error));
    relay.cork();
    say("text");
    relay.terminate();
    relay.uncork();
    await until("heard all", () => heard.length > 0);
    expect(heard).toEqual(["closed 1006"]);
    expect([errors, relay.bufferedAmount]).toEqual([[], 0]);
  });
});
