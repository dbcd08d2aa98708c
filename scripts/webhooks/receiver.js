// A receiver of webhooks that verifies each with the library of Standard Webhooks, and misbehaves: it refuses half of them,
// is slow with some, and can be down.
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

/**
 * @typedef {{ id: string, type: string, timestamp: string, data: { userId: string, roomId: string } }} Message
 */

export class UnreliableReceiver {
  /** What was taken, in order, each once. @type {Message[]} */
  taken = [];
  counts = { attempts: 0, refused: 0, doubles: 0, unverified: 0 };
  port = 0;
  #ids = new Set();
  #server = createServer();
  #webhook;

  /** @param {string} secret */
  constructor(secret) {
    this.#webhook = new Webhook(secret);
  }

  /** Listens: on the same port as before, if it did before. */
  async start() {
    this.#server = createServer((request, response) => void this.#take(request, response));
    await new Promise((resolve) => this.#server.listen(this.port, "127.0.0.1", () => resolve(undefined)));
    const address = this.#server.address();
    if (typeof address === "object" && address !== null) this.port = address.port;
  }

  /** Breaks off all connections. */
  async stop() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  /**
   * @param {import("node:http").IncomingMessage} request
   * @param {import("node:http").ServerResponse} response
   */
  async #take(request, response) {
    this.counts.attempts++;
    /** @type {Buffer[]} */
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      // it was broken off
      return;
    }
    // some wait for a second
    if (Math.random() < 0.05) await new Promise((resolve) => setTimeout(resolve, 1_000 * Math.random()));
    const refuses = Math.random() < 0.5;
    if (refuses) this.counts.refused++;
    else this.#verify(Buffer.concat(chunks).toString(), request.headers);
    response.writeHead(refuses ? 500 : 204).end();
  }

  /**
   * @param {string} body
   * @param {import("node:http").IncomingHttpHeaders} headers
   */
  #verify(body, headers) {
    try {
      const message = /** @type {Message} */ (
        this.#webhook.verify(body, /** @type {Record<string, string>} */ (headers))
      );
      const id = headers["webhook-id"];
      if (this.#ids.has(id)) this.counts.doubles++;
      else this.taken.push({ ...message, id: String(id) });
      this.#ids.add(id);
    } catch {
      this.counts.unverified++;
    }
  }
}
