/** Who somebody is who comes through the tunnel: the application's own `onConnect` and `onAuthenticate` are asked. */
import { randomUUID } from "node:crypto";
import type { Hocuspocus, onAuthenticatePayload } from "@hocuspocus/server";
import type { Identity } from "../hub/index.ts";
import type { ErrorListener } from "../hub/report.ts";

export interface Asked {
  readonly request: Request;
  /** What each connection of this socket has in its context from the beginning. */
  readonly context: object;
  readonly room: string;
  readonly token: string;
}

type Identify<Context> = (context: Context, documentName: string) => Identity | null;

export class Authority<Context> {
  readonly #instance: Hocuspocus;
  readonly #identify: Identify<Context>;
  readonly #onError: ErrorListener;

  constructor(instance: Hocuspocus, identify: Identify<Context>, onError: ErrorListener) {
    this.#instance = instance;
    this.#identify = identify;
    this.#onError = onError;
  }

  /** @throws what the application's `identify` throws; `TypeError` for a promise, since a provider is let in at once [HOC-17] */
  identify(context: Context, documentName: string): Identity | null {
    const said: unknown = this.#identify(context, documentName);
    if (!(said instanceof Promise)) return said as Identity | null;
    // what it rejects with is nobody's business any more, and would else end the process
    said.catch(() => {});
    throw new TypeError("identify gave a promise: it has to answer at once, from what onAuthenticate has found out");
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
    try {
      return this.identify(payload.context as Context, room);
    } catch (error) {
      // [HOC-2] what hooks throw is a refusal, but this one only says who was let in
      this.#onError(error, "identify");
      throw error;
    }
  }
}
