/** A real Hocuspocus server with the extension, real providers, and our client through them. */
import { HocuspocusProvider, HocuspocusProviderWebsocket } from "@hocuspocus/provider";
import { type Configuration, type Extension, Server } from "@hocuspocus/server";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import * as Y from "yjs";
import type { Presence } from "../../src/client/index.ts";
import { type HocuspocusPresenceOptions, createHocuspocusPresence } from "../../src/hocuspocus/client/index.ts";
import { type HocuspocusOptions, presenceExtension } from "../../src/hocuspocus/index.ts";
import type { Identity } from "../../src/hub/index.ts";

/** Tokens are names here: `alice` is Alice. */
export interface Context {
  readonly user?: { readonly id: string; readonly name: string };
}

export const identify = ({ user }: Context): Identity | null =>
  user === undefined ? null : { userId: user.id, name: user.name };

export interface ServerOptions {
  readonly presence?: Partial<HocuspocusOptions<Context>>;
  readonly hocuspocus?: Partial<Configuration>;
  readonly extensions?: readonly Extension[];
  readonly port?: number;
  /** Whether tokens are asked for: `alice` is Alice's, `forbidden` is nobody's. Default true. */
  readonly asks?: boolean;
}

export async function startServer({
  presence,
  hocuspocus,
  extensions = [],
  port = 0,
  asks = true,
}: ServerOptions = {}) {
  const extension = presenceExtension<Context>({ tick: 0, lobbyTick: 0, identify, ...presence });
  const server = new Server({
    address: "127.0.0.1",
    port,
    quiet: true,
    stopOnSignals: false,
    extensions: [extension, ...extensions],
    ...(asks && {
      onAuthenticate: ({ token }: { readonly token: string }) => {
        if (token === "" || token === "forbidden") return Promise.reject(new Error("no"));
        return Promise.resolve({ user: { id: token, name: token[0]?.toUpperCase() + token.slice(1) } });
      },
    }),
    ...hocuspocus,
  });
  await server.listen();
  const stop = async (): Promise<void> => {
    await server.destroy();
    server.httpServer.closeAllConnections();
  };
  onTestFinished(stop);
  return {
    server,
    extension,
    hub: extension.hub,
    url: `ws://127.0.0.1:${server.address.port}`,
    stop,
    port: server.address.port,
  };
}

/** The socket of a tab. */
export function tabSocket(url: string): HocuspocusProviderWebsocket {
  const socket = new HocuspocusProviderWebsocket({
    url,
    WebSocketPolyfill: WebSocket,
    delay: 50,
    minDelay: 20,
    maxDelay: 100,
  });
  onTestFinished(() => socket.destroy());
  return socket;
}

/** A plain provider, of Hocuspocus alone; its awareness is its own. */
export function plainProvider(
  socket: HocuspocusProviderWebsocket,
  name: string,
  token: string,
  state: Record<string, unknown> | null = { user: { id: token, name: token } },
) {
  const doc = new Y.Doc();
  const provider = new HocuspocusProvider({ websocketProvider: socket, name, token, document: doc });
  const { awareness } = provider;
  if (awareness === null) throw new Error("it has an awareness");
  awareness.setLocalState(state);
  provider.attach();
  onTestFinished(() => {
    provider.destroy();
    doc.destroy();
  });
  return { provider, awareness, doc };
}

/** Our client in a tab of its own, or in one that there is. */
export function ownClient(
  url: string,
  id: string,
  options: Partial<HocuspocusPresenceOptions> = {},
  socket: HocuspocusProviderWebsocket = tabSocket(url),
): Presence & { readonly socket: HocuspocusProviderWebsocket } {
  const presence = createHocuspocusPresence(socket, { user: { id, name: id }, token: id, ...options });
  onTestFinished(() => presence.destroy());
  return Object.assign(presence, { socket });
}

/** The connection of a tab is cut as when its process is killed. */
export function kill(socket: HocuspocusProviderWebsocket): void {
  socket.shouldConnect = false;
  (socket.webSocket as unknown as WebSocket).terminate();
}
