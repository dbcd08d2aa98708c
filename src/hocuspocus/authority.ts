/** Who somebody is who comes through the tunnel: the application's own `onConnect` and `onAuthenticate` are asked. */
import { randomUUID } from "node:crypto";
import type { Hocuspocus, onAuthenticatePayload } from "@hocuspocus/server";
import type { Identity } from "../hub/index.ts";

export interface Asked {
  readonly request: Request;
  /** What each connection of this socket has in its context from the beginning. */
  readonly context: object;
  readonly room: string;
  readonly token: string;
}

export class Authority<Context> {
  readonly identify: (context: Context, documentName: string) => Identity | null;
  readonly #instance: Hocuspocus;

  constructor(instance: Hocuspocus, identify: (context: Context, documentName: string) => Identity | null) {
    this.#instance = instance;
    this.identify = identify;
  }

  /** @throws what the application's hooks, or its `identify`, throw */
  async authenticate({ request, context, room, token }: Asked): Promise<Identity | null> {
    const payload: onAuthenticatePayload = {
      instance: this.#instance,
      context: { ...context },
      documentName: room,
      request,
      requestHeaders: request.headers,
      requestParameters: new URL(request.url, "http://localhost").searchParams,
      socketId: randomUUID(),
      connectionConfig: { readOnly: false, isAuthenticated: false },
      providerVersion: null,
      token,
    };
    const add = (additions: object | undefined): void => {
      payload.context = { ...(payload.context as object), ...additions };
    };
    await this.#instance.hooks("onConnect", payload, add);
    await this.#instance.hooks("onAuthenticate", payload, add);
    return this.identify(payload.context as Context, room);
  }
}
