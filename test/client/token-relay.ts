/** A relay that only lets people in: it says what a test wants it to say of their tokens. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import type { UserInfo } from "../../src/client/index.ts";
import { LINK_CHANNEL, NO_STATES_FRAME, controlFrame, decodeFrame, envelope } from "../../src/wire/index.ts";
import { answer, serveChannels } from "./channels.ts";

export interface Doorman {
  readonly url: string;
  /** What was offered and dialed, by each connection. */
  readonly dialed: { readonly protocols: readonly string[]; readonly url: string }[];
  /** The tokens that open connections were renewed with. */
  readonly renewals: string[];
  readonly sockets: WebSocket[];
}

export interface Says {
  /** Closes at once. */
  refusal?: { readonly code: number; readonly reason: string } | undefined;
  user?: UserInfo | undefined;
  expiresInMs?: number | undefined;
}

/** @param says read at each connection and renewal */
export async function doorman(says: Says): Promise<Doorman> {
  const server = new WebSocketServer({
    port: 0,
    host: "127.0.0.1",
    handleProtocols: (offered) => [...offered][0] ?? false,
  });
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const door: Doorman = { url: `ws://127.0.0.1:${port}`, dialed: [], renewals: [], sockets: [] };
  server.on("connection", (socket, request) => {
    const protocols = (request.headers["sec-websocket-protocol"] ?? "").split(/, */);
    door.dialed.push({ protocols, url: request.url ?? "" });
    door.sockets.push(socket);
    if (says.refusal !== undefined) return socket.close(says.refusal.code, says.refusal.reason);
    serveChannels(socket, {
      channel(channel) {
        const { user, expiresInMs } = says;
        channel.send(
          controlFrame({
            kind: "hello",
            shard: "r_1",
            graceMs: 1_000,
            ...(user !== undefined && { user }),
            ...(expiresInMs !== undefined && { expiresInMs }),
          }),
        );
        channel.send(NO_STATES_FRAME);
      },
      own(message, link) {
        const frame = decodeFrame(message);
        if (frame.type !== "control" || frame.control.kind !== "token") return answer(message, link);
        door.renewals.push(frame.control.token);
        link.send(envelope(LINK_CHANNEL, controlFrame({ kind: "access", expiresInMs: says.expiresInMs ?? null })));
      },
    });
  });
  return door;
}
