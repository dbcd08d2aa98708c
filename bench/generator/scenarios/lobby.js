// @ts-check
/** Many users in rooms, of whom some change now and then; many who watch the lobby. */
import { setTimeout as sleep } from "node:timers/promises";
import { Agreement } from "../agreement.js";
import { inBatches } from "../batches.js";
import { clientKind } from "../clients/index.js";
import { lobbyMessages } from "../clients/tab.js";
import { placement } from "../cluster.js";
import { userIndex } from "../state.js";
import { Connection } from "../connection.js";
import { Freshness } from "../freshness.js";
import { LobbyReader, decodeTime } from "../lobby-reader.js";
import { Meter } from "../meter.js";
import { newcomer } from "../newcomer.js";
import { Pacer } from "../pacer.js";

const PER_ROOM = 5;
const DRAIN_MS = 2_000;
const NEWCOMERS = 5;

/**
 * @param {object} options
 * @param {number} options.port
 * @param {number} options.serverPid
 * @param {number} options.users
 * @param {number} options.observers
 * @param {number} options.readers  How many of the observers read the document; the rest count what they are sent.
 * @param {number} options.changesPerSecond  Of all users together.
 * @param {number} options.warmMs
 * @param {number} options.windowMs
 * @param {import("../cluster.js").Cluster} [options.cluster]  The servers, where there are several.
 */
export async function lobby(options) {
  const { port, serverPid, users: userCount, changesPerSecond, cluster } = options;
  const ports = cluster?.servers.map((server) => server.port) ?? [port];
  const placeOf = cluster === undefined ? () => 0 : placement(cluster, PER_ROOM);
  const users = Array.from({ length: userCount }, (_, index) => {
    return new Connection(clientKind("user"), index, `room-${Math.floor(index / PER_ROOM)}`);
  });
  const { observers, readers, freshness, agreement } = observersOf(options);
  await inBatches(users, (connection) => connection.open({ port: ports[placeOf(connection.index)] ?? port }));
  for (const connection of users) connection.whole = false;
  // the first of them to the first server, and so on: the readers among them are spread over all
  await inBatches(observers, (connection) => {
    const place = Math.floor(((connection.index - userCount) * ports.length) / observers.length);
    return connection.open({ port: ports[place] ?? port }, { announce: false });
  });

  let changes = 0;
  const pacer = new Pacer(changesPerSecond, (turn) => {
    const user = users[turn % userCount];
    if (user === undefined) return;
    user.change();
    changes++;
    freshness.sent(user.index, user.changes);
  });
  await sleep(options.warmMs);
  pacer.start();
  await sleep(options.warmMs);
  const [meter, before] = [new Meter(cluster ?? serverPid, observers), changes];
  freshness.begin();
  agreement.begin();
  await sleep(options.windowMs);
  freshness.end();
  agreement.end();
  const reading = meter.read();
  const inWindow = changes - before;
  await sleep(DRAIN_MS);
  const { freshness: seen, knownShare } = freshness.finish();
  const agreed = agreement.finish();
  pacer.stop();

  const snapshot = readers[0]?.snapshot ?? new Uint8Array();
  const newcomers = [];
  for (let i = 0; i < NEWCOMERS * ports.length; i++) newcomers.push(await newcomer(ports[i % ports.length] ?? port));
  return {
    ...reading,
    users: userCount,
    observers: observers.length,
    changes: inWindow,
    freshness: seen,
    knownShare,
    agreement: agreed,
    snapshotBytes: snapshot.length,
    decodeMs: decodeTime(snapshot),
    newcomers,
  };
}

/** @param {{ users: number, observers: number, readers: number, changesPerSecond: number }} options */
function observersOf({ users, observers: count, readers: readerCount, changesPerSecond }) {
  const numbers = Array.from({ length: readerCount }, (_, i) => i);
  // a reader takes the place of the user of its number, whose changes it does not count
  const freshness = new Freshness({
    senders: users,
    perRoom: users,
    changesPerSecond: changesPerSecond / users,
    receivers: numbers,
  });
  const agreement = new Agreement(readerCount);
  const readers = numbers.map((number) => {
    return new LobbyReader((userId, change) => {
      freshness.received(number, userIndex(userId), change);
      agreement.seen(number, userId, change);
    });
  });
  const observers = Array.from({ length: count }, (_, i) => {
    // spread over all, since a server writes to one after another
    const reader = i % Math.floor(count / readerCount) === 0 ? readers[(i * readerCount) / count] : undefined;
    const read = lobbyMessages((message) => reader?.read(message, 0, message.length));
    const connection = new Connection(clientKind("observer"), users + i, "@lobby", {
      message: (_connection, bytes, start, end) => read(bytes, start, end),
    });
    connection.whole = reader !== undefined;
    return connection;
  });
  return { observers, readers, freshness, agreement };
}
