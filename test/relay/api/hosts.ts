/** Where the HTTP API is to be had: one table of tests runs on all of these. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { openBus } from "../../../src/relay/cluster/bus/open-bus.ts";
import { MemoryDocumentStore, type RelayConfig, createRelay } from "../../../src/relay/index.ts";
import { runRelay } from "../../faults/processes.ts";
import { startRelay, until } from "../../support.ts";
import { startRedis } from "../redis.ts";
import { Caller, KEY, type Send, overHttp } from "./caller.ts";

/** What a test may set, on whatever host. */
export type HostSettings = Pick<RelayConfig, "jwtSecret" | "maxState" | "maxMeta" | "maxMessage" | "leaveGrace">;

export interface Host {
  /** Where the next client dials: of several relays, each in its turn. */
  readonly dial: () => string;
  readonly api: Caller;
  /** Sends a request as it is, below `/api/v1`. */
  readonly send: Send;
  /** How many connections an answer names: those of the relay that is asked, which is none of several that clients dialled. */
  readonly ofAsked: (connections: number) => number;
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

async function command(settings: HostSettings = {}): Promise<Host> {
  const flags = Object.entries(settings).map(([name, value]) => `--${kebab(name)}=${String(value)}`);
  const { url, port } = await runRelay([`--api-key=${KEY}`, ...flags]);
  const send = overHttp(port);
  return { dial: () => url, api: new Caller(send), send, ofAsked: (connections) => connections };
}

/** An application's own server has the relay attached, and hands it requests, wherever it has mounted the API. */
async function attached(settings: HostSettings = {}): Promise<Host> {
  const relay = createRelay({ apiKey: KEY, ...settings });
  const server = createServer((_request, response) => response.writeHead(404).end());
  relay.attach(server, { path: "/presence" });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  onTestFinished(async () => {
    await relay.close();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const send: Send = (request) => relay.api(new Request(request.url.replace("/api/v1", "/presence/api/v1"), request));
  const url = `ws://127.0.0.1:${port}/presence`;
  return { dial: () => url, api: new Caller(send), send, ofAsked: (connections) => connections };
}

/** Clients are connected to two of three relays on one Redis; the third, which nobody is connected to, is asked. */
async function several(settings: HostSettings = {}): Promise<Host> {
  const { relays, api, send } = await startSeveral(settings);
  let turn = 0;
  const dial = (): string => relays[turn++ % 2]?.url ?? "";
  return { dial, api, send, ofAsked: () => 0 };
}

export interface Several {
  readonly relays: readonly { readonly url: string; readonly api: Caller }[];
  /** Of the relay that nobody is connected to. */
  readonly api: Caller;
  readonly send: Send;
}

/** Three relays on one Redis, with one store. */
export async function startSeveral(settings: HostSettings = {}): Promise<Several> {
  const redis = await startRedis();
  const store = new MemoryDocumentStore();
  const start = async () => {
    const bus = await openBus(redis.url, () => {});
    return startRelay({ apiKey: KEY, bus, store, ...settings });
  };
  const started = [await start(), await start(), await start()];
  await until("each hears the others", () => started.every(({ relay }) => relay.metrics().bus?.relays === 2));
  const relays = started.map(({ url, port }) => ({ url, api: new Caller(overHttp(port)) }));
  const send = overHttp(started[2]?.port ?? 0);
  return { relays, api: new Caller(send), send };
}

/**
 * By what it is: how it is started. `npm test` runs the table on a relay within the test's own process; `npm run test:long` on
 * processes and on several relays, for which it sets ALL_HOSTS.
 */
export const hosts: readonly (readonly [string, (settings?: HostSettings) => Promise<Host>])[] =
  process.env["ALL_HOSTS"] === undefined
    ? [["a relay that is attached to a server", attached]]
    : [
        ["the command", command],
        ["any of several relays", several],
      ];

/** The ids of those in a room, in order. */
export async function idsIn(api: Caller, room: string): Promise<string[]> {
  return (await api.get(`/rooms/${encodeURIComponent(room)}`)).body.users.map(({ id }) => id).toSorted();
}

/** Waits until the API says that these are in a room, and no others. */
export async function untilIn(api: Caller, room: string, ids: readonly string[]): Promise<void> {
  await until(`${ids.join(", ") || "nobody"} in ${room}`, async () => (await idsIn(api, room)).join() === ids.join());
}

/** Waits until the API says that a user is of a status. */
export async function untilStatus(api: Caller, id: string, status: string, query = ""): Promise<void> {
  await until(`${id} is ${status}`, async () => (await api.get(`/users/${id}${query}`)).body.status === status);
}
