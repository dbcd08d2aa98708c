/** One connection of a bus to Redis: to a server, to the master that Sentinels know, or to a cluster. [BUS-47] [BUS-48] */
import { type RedisClientType, createClient, createCluster, createSentinel } from "@redis/client";
import type { BusAddress, RedisAccess } from "../../util/bus-address.ts";

/** How long to wait before connecting again, ms: at first, and at most. */
const RETRY_MS = 50;
const MAX_RETRY_MS = 2_000;
const CONNECT_MS = 2_000;
/** How often a Sentinel is asked where the master is, ms: besides, Sentinels say when that changes. */
const SCAN_MS = 2_000;

type Deliver = (message: Buffer) => void;

export interface RedisConnection {
  publish(topic: string, message: Buffer): Promise<unknown>;
  /** Resolves once the topic is listened to; connections that are lost listen again by themselves. */
  subscribe(topic: string, deliver: Deliver): Promise<unknown>;
  unsubscribe(topic: string): Promise<unknown>;
  /** How many listen to a topic. */
  listeners(topic: string): Promise<number>;
  /** Connects; rejects only when the first attempt fails and none follows by itself. */
  connect(): Promise<unknown>;
  /** Ends once what was published has been sent. */
  close(): Promise<unknown>;
  /** Ends at once. */
  destroy(): void | Promise<unknown>;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** A stranger of the types that `createClient` and `createSentinel` infer. */
type Client = Pick<RedisClientType, "publish" | "subscribe" | "unsubscribe" | "pubSubNumSub"> &
  Pick<RedisConnection, "connect" | "close" | "destroy" | "on">;

/** The same of `createCluster`. */
type ClusterClient = Pick<RedisConnection, "connect" | "close" | "destroy" | "on"> & {
  sPublish(topic: string, message: Buffer): Promise<unknown>;
  sSubscribe(topic: string, deliver: Deliver, isBinary: true): Promise<unknown>;
  sUnsubscribe(topic: string): Promise<unknown>;
  sendCommand(key: string, isReadOnly: boolean, command: readonly string[]): Promise<unknown>;
};

/** @param keepsWaiting whether what is asked while there is no connection waits for the next one */
export function makeConnection(address: BusAddress, keepsWaiting: boolean): RedisConnection {
  switch (address.type) {
    case "server": {
      const client = createClient({ url: address.url, ...optionsFor(null, keepsWaiting) });
      return plain(client);
    }
    case "sentinel": {
      const { isSecure } = address.access;
      const client = createSentinel({
        name: address.master,
        sentinelRootNodes: address.sentinels.map((node) => ({ ...node })),
        nodeClientOptions: optionsFor(address.access, keepsWaiting),
        sentinelClientOptions: optionsFor({ isSecure, username: undefined, password: undefined }, true),
        scanInterval: SCAN_MS,
        passthroughClientErrorEvents: true,
      });
      return plain(client as unknown as Client);
    }
    case "cluster": {
      const client = createCluster({
        rootNodes: address.nodes.map(({ host, port }) => ({ socket: { host, port } })),
        defaults: optionsFor(address.access, keepsWaiting),
        minimizeConnections: true,
      });
      return sharded(client as unknown as ClusterClient);
    }
  }
}

/** How long to wait after so many attempts, ms: spread out, so that not all relays come at once. */
export function retryMs(attempts: number): number {
  return Math.random() * RETRY_MS + Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** Math.min(attempts, 10));
}

/** @param access null: the URL says it */
function optionsFor(access: RedisAccess | null, keepsWaiting: boolean) {
  const { isSecure = false, username, password } = access ?? {};
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    disableOfflineQueue: !keepsWaiting,
    socket: { ...(isSecure && { tls: true as const }), connectTimeout: CONNECT_MS, reconnectStrategy: retryMs },
  };
}

function plain(client: Client): RedisConnection {
  return {
    publish: (topic, message) => client.publish(topic, message),
    subscribe: (topic, deliver) => client.subscribe(topic, deliver, true),
    unsubscribe: (topic) => client.unsubscribe(topic),
    listeners: async (topic) => (await client.pubSubNumSub([topic]))[topic] ?? 0,
    connect: () => client.connect(),
    close: () => client.close(),
    destroy: () => client.destroy(),
    on: (event, listener) => client.on(event, listener),
  };
}

/** [BUS-48] In a cluster each topic has one node, to which all relays publish and listen: so what one of them says comes in order. */
function sharded(client: ClusterClient): RedisConnection {
  return {
    publish: (topic, message) => client.sPublish(topic, message),
    subscribe: (topic, deliver) => client.sSubscribe(topic, deliver, true),
    unsubscribe: (topic) => client.sUnsubscribe(topic),
    async listeners(topic) {
      const reply = await client.sendCommand(topic, true, ["PUBSUB", "SHARDNUMSUB", topic]);
      return Array.isArray(reply) ? Number(reply[1] ?? 0) : 0;
    },
    connect: () => client.connect(),
    close: () => client.close(),
    destroy: () => client.destroy(),
    on: (event, listener) => client.on(event, listener),
  };
}
