// People who come and go through bad networks: some are cut off and back at once, some stay away, some leave.
import { WebSocket } from "ws";
import { PATCH_SUBPROTOCOL, awarenessFrame, encodeEntries } from "../../dist/wire/index.js";

/** @param {number} ms */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @param {number} from @param {number} to */
const between = (from, to) => from + Math.random() * (to - from);

/** So long everybody stays, ms: a relay that is busy is to notice them. */
const LEAST_MS = 1_500;

export class Visitor {
  /** Leaves that the relay has heard, and was alive for long after. */
  leaves = 0;
  /** Times that the relay may have lost sight of them. */
  losses = 0;
  /** It was let in at least once: a machine that is too slow for all who come turns some away. */
  hasCome = false;
  #isStopping = false;
  #clock = 0;

  /**
   * @param {string} id
   * @param {string} room
   * @param {{ url: string, graceMs: number, spreadMs: number, isUp: (since: number) => boolean }} world  `isUp`: the relay has run since
   */
  constructor(id, room, world) {
    this.id = id;
    this.room = room;
    this.world = world;
  }

  /** Comes and goes until it is stopped, and then leaves. */
  async live() {
    const { graceMs, spreadMs } = this.world;
    await pause(between(0, spreadMs));
    while (!this.#isStopping) {
      const socket = await this.#come();
      if (socket === null) break;
      this.hasCome = true;
      const stay = between(LEAST_MS, 8_000);
      const isLost = await this.#stay(socket, stay);
      const chance = Math.random();
      if (isLost || (chance < 0.4 && !this.#isStopping)) {
        // cut off, and back within the grace
        this.losses++;
        socket.terminate();
        await pause(between(0, graceMs / 3));
      } else if (chance < 0.6 && !this.#isStopping) {
        this.losses++;
        socket.terminate();
        await pause(between(graceMs * 1.5, graceMs * 4));
      } else {
        await this.#leave(socket);
        await pause(between(500, 3_000));
      }
    }
  }

  stop() {
    this.#isStopping = true;
  }

  /** @param {WebSocket} socket */
  async #leave(socket) {
    const since = Date.now();
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.close(1000);
    await closed;
    await pause(1_000);
    if (this.world.isUp(since - 500)) this.leaves++;
    else this.losses++;
  }

  /** @param {WebSocket} socket @param {number} ms  Resolves with whether the connection was lost meanwhile. */
  async #stay(socket, ms) {
    const now = Date.now();
    const [least, until] = [now + LEAST_MS, now + ms];
    // of one who came and went within a moment nobody need be told
    while (Date.now() < least || (Date.now() < until && !this.#isStopping)) {
      if (socket.readyState !== WebSocket.OPEN) return true;
      await pause(250);
    }
    return socket.readyState !== WebSocket.OPEN;
  }

  /** @returns {Promise<WebSocket | null>} null: it was stopped before the relay could be reached */
  async #come() {
    for (let tries = 0; !this.#isStopping || tries === 0; tries++) {
      const socket = new WebSocket(`${this.world.url}/${this.room}`, [PATCH_SUBPROTOCOL]);
      const isOpen = await new Promise((resolve) => {
        socket.once("open", () => resolve(true));
        socket.once("error", () => resolve(false));
        socket.once("close", () => resolve(false));
      });
      socket.on("error", () => {});
      if (isOpen) {
        socket.send(this.#state());
        return socket;
      }
      await pause(between(100, 1_000));
    }
    return null;
  }

  #state() {
    const user = { id: this.id, name: this.id };
    const copresence = { session: `s_${this.id}`, status: "online", device: "desktop", since: 1, meta: {} };
    const state = new TextEncoder().encode(JSON.stringify({ user, copresence }));
    const id = Math.floor(Math.random() * 2 ** 32);
    return awarenessFrame(encodeEntries([{ id, clock: ++this.#clock, state }]));
  }
}
