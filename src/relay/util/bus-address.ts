/** The address of a bus over Redis or Valkey: one server, the master that Sentinels know, or the nodes of a cluster. [BUS-47] */

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** How a relay logs in, whichever node it connects to. */
export interface RedisAccess {
  /** Whether connections are over TLS. */
  readonly isSecure: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

export type BusAddress =
  | { readonly type: "server"; readonly url: string }
  | {
      readonly type: "sentinel";
      /** Any of them is asked where the master is, without a user or a password. */
      readonly sentinels: readonly RedisNode[];
      readonly master: string;
      readonly access: RedisAccess;
    }
  | { readonly type: "cluster"; readonly nodes: readonly RedisNode[]; readonly access: RedisAccess };

const SENTINEL_PORT = 26_379;
const SERVER_PORT = 6_379;

const FORMS =
  "redis://HOST:PORT or rediss://HOST:PORT, for Sentinels redis-sentinel://HOST:PORT,HOST:PORT/MASTER, " +
  "for a cluster redis-cluster://HOST:PORT,HOST:PORT";

/**
 * Reads an address. The address may hold a password, so no error repeats any of it.
 *
 * @param label what the address is called where it was given, such as `--bus`
 * @throws RangeError for an address that names no bus
 */
export function readBusAddress(address: string, label: string): BusAddress {
  if (/^rediss?:\/\/./.test(address)) {
    const host = URL.canParse(address) ? new URL(address).host : ",";
    // several hosts are not one server
    if (host.includes(",")) throw new RangeError(`${label} must be ${FORMS}`);
    return { type: "server", url: address };
  }
  const found = /^redis(s?)-(sentinel|cluster):\/\/(?:(.*)@)?([^/@]+)(?:\/([^/?]*))?$/.exec(address);
  if (found === null) throw new RangeError(`${label} must be ${FORMS}`);
  const [, secure = "", type = "", login = "", hosts = "", end = ""] = found;
  const access = { isSecure: secure === "s", ...readLogin(login, label) };
  const nodes = hosts
    .split(",")
    .map((host) => readNode(host, type === "sentinel" ? SENTINEL_PORT : SERVER_PORT, label));
  if (type === "cluster") {
    if (end !== "") throw new RangeError(`${label}: a cluster has one database: end the address after the last port`);
    return { type, nodes, access };
  }
  if (end === "") {
    throw new RangeError(
      `${label}: end the address with the name that the Sentinels give the master, such as /mymaster`,
    );
  }
  return { type: "sentinel", sentinels: nodes, master: decoded(end, label), access };
}

/**
 * Throws a `RangeError` for an address that relays cannot share an outbox of webhooks at: it has to be that of one server. [BUS-49]
 *
 * @param label what the address is called where it was given, such as `--bus`
 */
export function checkOutboxAddress(address: string, label: string): void {
  if (readBusAddress(address, label).type === "server") return;
  throw new RangeError(
    `${label}: webhooks need the address of one Redis (redis:// or rediss://), not of Sentinels or a cluster; ` +
      "createRelay takes a sharedOutbox on another Redis than its bus",
  );
}

function readLogin(login: string, label: string): Omit<RedisAccess, "isSecure"> {
  const [username = "", ...rest] = login.split(":");
  const password = rest.join(":");
  return {
    username: username === "" ? undefined : decoded(username, label),
    password: password === "" ? undefined : decoded(password, label),
  };
}

function readNode(text: string, defaultPort: number, label: string): RedisNode {
  const found = /^(\[[^\]]+\]|[^:[\]]+)(?::(\d+))?$/.exec(text);
  const port = found?.[2] === undefined ? defaultPort : Number(found[2]);
  const host = found?.[1]?.replace(/^\[|\]$/g, "");
  if (host === undefined || port < 1 || port > 65_535) throw new RangeError(`${label} must be ${FORMS}`);
  return { host, port };
}

function decoded(text: string, label: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RangeError(`${label}: write each % of a user, a password or a master as %25`);
  }
}
