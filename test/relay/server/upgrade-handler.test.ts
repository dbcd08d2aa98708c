/** Those who come while the relay has a lot to do. */
import { EventEmitter } from "node:events";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { Authorizer } from "../../../src/relay/access/authorizer.ts";
import { LinkedHub } from "../../../src/relay/wiring/linked-hub.ts";
import { resolveOptions } from "../../../src/relay/options.ts";
import { UpgradeHandler } from "../../../src/relay/server/upgrade-handler.ts";
import { until } from "../../support.ts";

class FakeWebSocket extends EventEmitter {
  readonly OPEN = WebSocket.OPEN;
  readyState: number = WebSocket.OPEN;
  protocol = "";
  closedWith: number | undefined;
  isPaused = false;
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  terminate(): void {}
  close(code?: number): void {
    this.closedWith = code;
  }
}

function setup() {
  const options = resolveOptions({});
  const hub = new LinkedHub(options, () => {});
  const authorizer = new Authorizer(options, null, hub.core.lobbyPlaces, () => {});
  const handler = new UpgradeHandler(authorizer, hub, () => {});
  onTestFinished(() => hub.close());
  const comes = (): FakeWebSocket => {
    const webSocket = new FakeWebSocket();
    const socket = new Socket();
    // it leads nowhere
    socket.on("error", () => {});
    handler.receive(webSocket as unknown as WebSocket, socket, new IncomingMessage(socket), "/doc");
    return webSocket;
  };
  return { hub, handler, comes };
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

it("[COST-8] many who come at once are let in turn by turn", async () => {
  const { hub, comes } = setup();
  comes();
  expect(hub.core.counters.accepted).toBe(1);
  hub.turns.used(1_000);
  const crowd = Array.from({ length: 5 }, comes);
  expect([hub.core.counters.accepted, crowd.every(({ isPaused }) => isPaused)]).toEqual([1, true]);
  await until("all are in", () => hub.core.counters.accepted === 6);
  expect(crowd.some(({ isPaused }) => isPaused)).toBe(false);
});

it("[COST-8] one who waits for a turn may go, or be sent away with everybody else", async () => {
  const { hub, handler, comes } = setup();
  hub.turns.used(1_000);
  const [gone, waiting] = [comes(), comes()];
  gone.readyState = WebSocket.CLOSED;
  handler.close();
  expect(waiting.closedWith).toBe(1012);
  await turn();
  await turn();
  expect(hub.core.counters.accepted).toBe(0);
});
