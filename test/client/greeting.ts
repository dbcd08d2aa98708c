/** A relay that says what a test wants it to say, and keeps what it is told. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import {
  EMPTY_UPDATE,
  type Frame,
  type Hello,
  NO_STATES_FRAME,
  controlFrame,
  decodeFrame,
  syncStep2Frame,
} from "../../src/wire/index.ts";
import { type ChannelSocket, onChannels } from "./channels.ts";

export interface Greeter {
  readonly url: string;
  /** By path. */
  readonly heard: { readonly path: string; readonly frame: Frame }[];
  readonly sockets: { readonly path: string; readonly socket: ChannelSocket }[];
}

/** @param hello read at each connection; null: it does not greet */
export async function greeter(hello: (path: string) => Partial<Hello> | null): Promise<Greeter> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const relay: Greeter = { url: `ws://127.0.0.1:${port}`, heard: [], sockets: [] };
  const greet = (socket: ChannelSocket, path: string): void => {
    relay.sockets.push({ path, socket });
    const more = hello(path);
    if (more !== null) socket.send(controlFrame({ kind: "hello", shard: "r", graceMs: 100, ...more }));
    socket.send(NO_STATES_FRAME);
    socket.on("message", (data: Buffer) => {
      const frame = decodeFrame(new Uint8Array(data));
      relay.heard.push({ path, frame });
      if (frame.type === "syncStep1") socket.send(syncStep2Frame(EMPTY_UPDATE));
    });
  };
  onChannels(server, { channel: greet });
  return relay;
}
