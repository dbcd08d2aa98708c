/** A real HTTP server that takes webhooks, verifies each with the library of Standard Webhooks, and may misbehave. */
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { onTestFinished } from "vitest";

export const SIGNING_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

export interface Received {
  readonly id: string;
  readonly type: string;
  readonly timestamp: string;
  readonly data: {
    readonly userId?: string;
    readonly roomId: string;
    readonly user?: Readonly<Record<string, unknown>>;
  } & Readonly<Record<string, unknown>>;
}

/** What to do with a request that is good: a status, after which it counts as taken if it is 2xx. */
export type Behave = (message: Received) => number | Promise<number>;

export class TestReceiver {
  /** Everything that was taken, in order; what came again is in it once. */
  readonly taken: Received[] = [];
  /** Everything that came and could be verified, taken or not. */
  readonly heard: Received[] = [];
  /** Why something could not be verified. */
  readonly bad: string[] = [];
  behave: Behave = () => 204;
  readonly #secret: string;
  readonly #ids = new Set<string>();
  #server = createServer();
  port = 0;

  constructor(secret = SIGNING_SECRET) {
    this.#secret = secret;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook`;
  }

  /** Listens: on the same port as before, if it did before. */
  async start(): Promise<this> {
    this.#server = createServer((request, response) => void this.#take(request, response));
    await new Promise<void>((resolve) => this.#server.listen(this.port, "127.0.0.1", resolve));
    this.port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  /** Breaks off all connections, and listens no more. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  /** What was taken, as `type userId` or `type roomId`. */
  get story(): string[] {
    return this.taken.map(({ type, data }) => `${type} ${data.userId ?? data.roomId}`);
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      // it was broken off
      return;
    }
    const message = this.#verified(Buffer.concat(chunks).toString(), request.headers);
    if (message === null) return void response.writeHead(400).end();
    this.heard.push(message);
    const status = await this.behave(message);
    if (status < 300 && !this.#ids.has(message.id)) {
      this.#ids.add(message.id);
      this.taken.push(message);
    }
    response.writeHead(status).end();
  }

  #verified(body: string, headers: IncomingHttpHeaders): Received | null {
    try {
      const verified = new Webhook(this.#secret).verify(body, headers as Record<string, string>);
      return { id: String(headers["webhook-id"]), ...(verified as Omit<Received, "id">) };
    } catch (error) {
      this.bad.push(String(error));
      return null;
    }
  }
}

/** A receiver that stops with the test. */
export async function startReceiver(secret?: string): Promise<TestReceiver> {
  const receiver = await new TestReceiver(secret).start();
  onTestFinished(() => receiver.stop());
  return receiver;
}
