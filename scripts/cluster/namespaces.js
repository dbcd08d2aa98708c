/**
 * Relays as hosts of their own: each in a network namespace of Linux, with a cable to the network that Redis is on, and another to the
 * network that clients come from. A cable that is pulled loses packets as a real one does: no connection over it is closed.
 * The names are fixed, so one run at a time, and a run takes away what an earlier one left that was killed.
 */
import { execFileSync } from "node:child_process";

/** @typedef {{ address: string, lose: () => void, restore: () => void }} Cable */
/** @typedef {{ name: string, bus: Cable, front: Cable }} Host */
/** @typedef {ReturnType<typeof openNamespaces>} Namespaces */

/** The network of Redis, and that of clients. This machine is the first host of both. */
const NETWORKS = /** @type {const} */ ({ bus: "10.213.1", front: "10.213.2" });
const PREFIX = "cpf";

/** @param {string} command @returns {string} what it prints */
const ip = (command) => execFileSync("ip", command.split(" "), { stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" });

/** Why this machine does not let a script make network namespaces; null: it does. */
export function whyNoNamespaces() {
  try {
    ip(`netns add ${PREFIX}-try`);
    ip(`link add ${PREFIX}-try type veth peer name ${PREFIX}-end netns ${PREFIX}-try`);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message.trim().replaceAll("\n", " ") : String(error);
  } finally {
    tryAll([`link del ${PREFIX}-try`, `netns del ${PREFIX}-try`]);
  }
}

/** @param {number} count how many hosts */
export function openNamespaces(count) {
  const stop = () => closeNamespaces(count);
  stop();
  // also when the script fails, or is told to stop while it starts
  process.once("exit", stop);
  for (const name of /** @type {const} */ (["bus", "front"])) {
    ip(`link add ${PREFIX}-${name} type bridge`);
    ip(`addr add ${NETWORKS[name]}.1/24 dev ${PREFIX}-${name}`);
    ip(`link set ${PREFIX}-${name} up`);
  }
  const hosts = Array.from({ length: count }, (_, place) => {
    const name = `${PREFIX}-${place}`;
    ip(`netns add ${name}`);
    ip(`-n ${name} link set lo up`);
    return { name, bus: plug(name, "bus", place), front: plug(name, "front", place) };
  });
  return { hosts, busAddress: `${NETWORKS.bus}.1`, stop };
}

/**
 * Lays a cable between a host and a network.
 *
 * @param {string} host
 * @param {"bus" | "front"} network
 * @param {number} place
 * @returns {Cable}
 */
function plug(host, network, place) {
  // the end at the network
  const near = `${PREFIX}-${network}-${place}`;
  const address = `${NETWORKS[network]}.${place + 10}`;
  ip(`link add ${near} type veth peer name ${network} netns ${host}`);
  ip(`link set ${near} master ${PREFIX}-${network}`);
  ip(`link set ${near} up`);
  ip(`-n ${host} addr add ${address}/24 dev ${network}`);
  ip(`-n ${host} link set ${network} up`);
  return {
    address,
    lose: () => void ip(`link set ${near} down`),
    restore: () => void ip(`link set ${near} up`),
  };
}

/** Ends what runs on the hosts, and takes all away. @param {number} count */
function closeNamespaces(count) {
  const networks = Object.keys(NETWORKS);
  for (let place = 0; place < count; place++) {
    const name = `${PREFIX}-${place}`;
    for (const pid of pidsIn(name)) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // it has ended meanwhile
      }
    }
    tryAll([...networks.map((network) => `link del ${PREFIX}-${network}-${place}`), `netns del ${name}`]);
  }
  tryAll(networks.map((network) => `link del ${PREFIX}-${network}`));
}

/** @param {string} name @returns {number[]} */
function pidsIn(name) {
  try {
    return ip(`netns pids ${name}`).split("\n").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** @param {readonly string[]} commands of which each may fail, since what it takes away is not there */
function tryAll(commands) {
  for (const command of commands) {
    try {
      ip(command);
    } catch {
      // there is none
    }
  }
}
