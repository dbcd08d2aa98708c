/** Presence for a Hocuspocus server: all that is said about who is here goes to the hub, and documents stay Hocuspocus's. */
import type { Extension, Hocuspocus } from "@hocuspocus/server";
import { Close, type PresenceHub, createHub } from "../hub/index.ts";
import { consoleReporter, safeReporter } from "../hub/report.ts";
import { Authority } from "./authority.ts";
import { Bridge } from "./bridge.ts";
import type { HocuspocusOptions, HocuspocusPresence } from "./options.ts";

/** After these close codes a client of Hocuspocus comes back: the server has reset it, or heard nothing for long. [HOC-6] */
const MAY_RETURN = { 4205: 1006, 4408: 1006 };

/**
 * Makes the extension. It works with @hocuspocus/server 4; one extension is for one server.
 *
 * ```ts
 * const presence = presenceExtension({ identify: (context) => ({ userId: context.user.id, name: context.user.name }) });
 * const server = new Server({ extensions: [presence], onAuthenticate: async ({ token }) => ({ user: await userOf(token) }) });
 * ```
 *
 * @throws RangeError for an option out of bounds
 */
export function presenceExtension<Context = Record<string, unknown>>(
  options: HocuspocusOptions<Context>,
): HocuspocusPresence {
  // [HOC-17] else each connection would fail for want of it
  if (typeof (options as Partial<typeof options> | undefined)?.identify !== "function") {
    throw new TypeError("presenceExtension needs a function identify: it says who a connection is, from its context");
  }
  const { identify, addressOf, ...settings } = options;
  const hub = createHub({ ...settings, documents: "none", closeCodes: MAY_RETURN });
  const onError = safeReporter(options.onError ?? consoleReporter());
  return new PresenceExtension<Context>(hub, { identify, addressOf: addressOf ?? null, onError });
}

interface Setup<Context> {
  readonly identify: HocuspocusOptions<Context>["identify"];
  readonly addressOf: ((request: Request) => string) | null;
  readonly onError: (error: unknown, where: string) => void;
}

class PresenceExtension<Context> implements HocuspocusPresence {
  readonly extensionName = "copresence";
  readonly hub: PresenceHub;
  readonly #setup: Setup<Context>;
  /** By the WebSocket, as Hocuspocus knows it. */
  readonly #bridges = new WeakMap<object, Bridge<Context>>();
  readonly #open = new Set<Bridge<Context>>();
  #instance: Hocuspocus | null = null;
  #sockets = 0;

  constructor(hub: PresenceHub, setup: Setup<Context>) {
    this.hub = hub;
    this.#setup = setup;
  }

  onConfigure({ instance }: Parameters<NonNullable<Extension["onConfigure"]>>[0]): Promise<void> {
    if (this.#instance === instance) return Promise.resolve();
    if (this.#instance !== null) return Promise.reject(new Error("copresence: one extension is for one server"));
    this.#instance = instance;
    this.#listenTo(instance);
    return Promise.resolve();
  }

  connected(payload: Parameters<NonNullable<Extension["connected"]>>[0]): Promise<void> {
    this.#bridges.get(payload.connection.webSocket)?.connected(payload);
    return Promise.resolve();
  }

  /** Hocuspocus leaves its sockets open: their clients would not look for the server that comes after. */
  async onDestroy(): Promise<void> {
    await this.hub.close();
    for (const bridge of this.#open) bridge.end(Close.restart, "the server is stopping");
  }

  /** As limits count addresses. [HOC-17] What the application throws here would else leave the client without an answer. */
  #addressOf(request: Request): string {
    const own = `socket:${this.#sockets++}`;
    const { addressOf, onError } = this.#setup;
    try {
      const address: unknown = addressOf?.(request) ?? own;
      if (typeof address === "string") return address;
      throw new TypeError("addressOf must give a text");
    } catch (error) {
      onError(error, "addressOf");
      return own;
    }
  }

  /** Hears first what comes over each socket. */
  #listenTo(instance: Hocuspocus): void {
    const { identify, onError } = this.#setup;
    const authority = new Authority(instance, identify, onError);
    const handleConnection = instance.handleConnection.bind(instance);
    instance.handleConnection = (incoming, request, context) => {
      const client = handleConnection(incoming, request, context);
      const address = this.#addressOf(request);
      const bridge = new Bridge<Context>({
        hub: this.hub,
        authority,
        incoming,
        request,
        client,
        context,
        address,
        onError,
        onClosed: () => this.#open.delete(bridge),
      });
      this.#open.add(bridge);
      this.#bridges.set(incoming, bridge);
      return client;
    };
  }
}
