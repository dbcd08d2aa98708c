/** The relay's end of a link, for servers that a test plays: each channel as a connection of its own. */
import { EventEmitter } from "node:events";
import type { WebSocket, WebSocketServer } from "ws";
import {
  EnvelopeReader,
  KEEP_ALIVE_FRAME,
  LINK_CHANNEL,
  type OpenRequest,
  controlFrame,
  decodeFrame,
  envelope,
  roomToPath,
} from "../../src/wire/index.ts";

/** One channel: tells `message` (bytes) and `close` (code). */
export class ChannelSocket extends EventEmitter {
  readonly request: OpenRequest;
  readonly link: WebSocket;

  constructor(request: OpenRequest, link: WebSocket) {
    super();
    this.request = request;
    this.link = link;
  }

  send(frame: Uint8Array): void {
    this.link.send(envelope(this.request.channel, frame));
  }

  /** Closes the channel alone. */
  close(code = 1000, reason = ""): void {
    const { channel } = this.request;
    this.link.send(envelope(LINK_CHANNEL, controlFrame({ kind: "close", channel, code, reason })));
  }

  /** Cuts the whole link. */
  terminate(): void {
    this.link.terminate();
  }
}

export interface LinkListener {
  /** A channel is asked for; it is open once something was sent over it. */
  channel(socket: ChannelSocket, path: string): void;
  /** Something else is said to the link. Default: signs of life and pings are answered. */
  own?(message: Uint8Array, link: WebSocket): void;
}

/** Acts as a relay on each link of a server. */
export function onChannels(server: WebSocketServer, listener: LinkListener): void {
  server.on("connection", (link) => serveChannels(link, listener));
}

export function serveChannels(link: WebSocket, listener: LinkListener): void {
  const channels = new Map<number, ChannelSocket>();
  const reader = new EnvelopeReader();
  link.on("message", (data: Buffer) => {
    const { channel, message } = reader.read(new Uint8Array(data));
    if (message === null) return;
    if (channel !== LINK_CHANNEL) return void channels.get(channel)?.emit("message", Buffer.from(message));
    const frame = decodeFrame(message);
    if (frame.type === "control" && frame.control.kind === "open") {
      const socket = new ChannelSocket(frame.control, link);
      channels.set(frame.control.channel, socket);
      return listener.channel(socket, roomToPath(frame.control.room));
    }
    if (frame.type === "control" && frame.control.kind === "close") {
      channels.get(frame.control.channel)?.emit("close", frame.control.code);
      return void channels.delete(frame.control.channel);
    }
    if (listener.own === undefined) answer(message, link);
    else listener.own(message, link);
  });
  link.on("close", (code) => {
    for (const socket of channels.values()) socket.emit("close", code);
  });
}

/** Answers as a relay does that has nothing else to say. */
export function answer(message: Uint8Array, link: WebSocket): void {
  const frame = decodeFrame(message);
  if (frame.type === "awareness") link.send(envelope(LINK_CHANNEL, KEEP_ALIVE_FRAME));
  if (frame.type === "control" && frame.control.kind === "ping") {
    link.send(envelope(LINK_CHANNEL, controlFrame({ kind: "pong" })));
  }
}
