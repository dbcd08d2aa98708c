/**
 * Many clients in one process, for `npm run cluster:faults`: clients of ours and stock clients in rooms, of whom one in each room
 * types. A child process: it is told what to do by messages, and answers each.
 */
import { WebSocket } from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import { createPresence } from "../../dist/client/index.js";

/** How often those who type do so, ms. */
const TYPE_MS = 250;
/** How many clients of ours read the lobby. */
const OBSERVERS = 10;
/** How often this process looks whether it stood still, ms. */
const LOOK_MS = 50;
/** How long somebody who lost the connection may take to come back, ms: the relays' `--leave-grace`. */
const GRACE_MS = 3_000;

// each provider listens for the end of the process
process.setMaxListeners(0);
console.warn = () => {};

/** @typedef {{ url: string, own: number, stock: number, rooms: number }} CrowdSize */
/** @typedef {{ room: string, doc: Y.Doc }} Editor */

/** @type {CrowdSize} */
let size = { url: "", own: 0, stock: 0, rooms: 1 };
/** @type {{ presence: import("../../dist/client/index.js").Presence, room: import("../../dist/client/index.js").Room }[]} */
let own = [];
/** @type {WebsocketProvider[]} */
let stock = [];
/** @type {Editor[]} */
let editors = [];
/** What was typed, by room. @type {Map<string, Set<string>>} */
let typed = new Map();
/** @type {ReturnType<typeof setInterval> | undefined} */
let typing;
let tokens = 0;

/** Since when is counted, ms. */
let since = 0;
/** @type {string[]} */
let leaves = [];
/** @type {string[]} */
let joins = [];
/** When a user was first seen as reconnecting. @type {Map<string, number>} */
let reconnecting = new Map();
/** When a roster was stale. @type {Map<number, number>} */
let stale = new Map();
/** When connections were opened. @type {number[]} */
let opened = [];
/** Since when a user has no connection. @type {Map<string, number>} */
const downSince = new Map();
/** How long a user had no connection, the longest time. @type {Map<string, number>} */
let away = new Map();
/** The longest time that this process itself stood still, ms. */
let heldMs = 0;

const now = () => performance.now();
/** @param {number} i */
const roomOf = (i) => `room ${i % size.rooms}`;

/**
 * @param {import("../../dist/client/index.js").Roster} roster
 * @param {number} index
 */
function watch(roster, index) {
  roster.on("event", ({ type, userId, user }) => {
    if (type === "leave") leaves.push(userId);
    else if (type === "join") joins.push(userId);
    else if (user.reconnecting && !reconnecting.has(userId)) reconnecting.set(userId, now() - since);
  });
  roster.on("status", (status) => {
    if (status === "stale" && !stale.has(index)) stale.set(index, now() - since);
  });
}

/**
 * Notes that the connection of a user is there, or is not.
 *
 * @param {string} userId
 * @param {boolean} isConnected
 */
function connection(userId, isConnected) {
  const downAt = downSince.get(userId);
  if (!isConnected) {
    if (downAt === undefined) downSince.set(userId, now());
    return;
  }
  downSince.delete(userId);
  opened.push(now() - since);
  if (downAt !== undefined) away.set(userId, Math.max(away.get(userId) ?? 0, now() - downAt));
}

/** Notes how long this process stands still: what it measures meanwhile is late. */
function watchItself() {
  let lastAt = now();
  setInterval(() => {
    heldMs = Math.max(heldMs, now() - lastAt - LOOK_MS);
    lastAt = now();
  }, LOOK_MS);
}

/** @param {CrowdSize} given */
function start(given) {
  size = given;
  watchItself();
  own = Array.from({ length: size.own }, (_, i) => {
    const presence = createPresence(size.url, {
      user: { id: `own ${i}`, name: `own ${i}` },
      WebSocket,
      observeLobby: i < OBSERVERS,
    });
    const room = presence.join(roomOf(i));
    watch(room.roster, i);
    if (i < OBSERVERS) watch(presence.lobby, size.own + i);
    let { status } = presence.connection;
    presence.connection.subscribe(() => {
      if (presence.connection.status === status) return;
      ({ status } = presence.connection);
      connection(`own ${i}`, status === "connected");
    });
    return { presence, room };
  });
  stock = Array.from({ length: size.stock }, (_, i) => stockClient(size.url, roomOf(i), `stock ${i}`));
  stock.forEach((provider, i) => {
    provider.on("status", ({ status }) => connection(`stock ${i}`, status === "connected"));
  });
  editors = [
    ...own.slice(0, size.rooms).map(({ room }, i) => ({ room: roomOf(i), doc: room.doc })),
    ...stock.slice(0, size.rooms).map(({ doc }, i) => ({ room: roomOf(i), doc })),
  ];
}

/**
 * @param {string} url
 * @param {string} room
 * @param {string} id
 */
function stockClient(url, room, id) {
  const provider = new WebsocketProvider(url, room, new Y.Doc(), {
    disableBc: true,
    WebSocketPolyfill: /** @type {typeof globalThis.WebSocket} */ (/** @type {unknown} */ (WebSocket)),
  });
  provider.awareness.setLocalStateField("user", { id, name: id });
  return provider;
}

/** How many people are in the room of a number. @param {number} i */
const sizeOf = (i) => {
  const place = i % size.rooms;
  const of = (/** @type {number} */ count) => Math.floor(count / size.rooms) + Number(place < count % size.rooms);
  return of(size.own) + of(size.stock);
};

/** Who does not see all that there is to see. */
function missing() {
  const rosters = own.filter(
    ({ room: { roster } }, i) =>
      roster.status !== "live" || roster.users.length !== sizeOf(i) || isWaiting(roster.users),
  );
  const lobbies = own.slice(0, OBSERVERS).filter(({ presence: { lobby } }) => {
    return lobby.status !== "live" || lobby.users.length !== size.own + size.stock || isWaiting(lobby.users);
  });
  const stocks = stock.filter(({ awareness }, i) => awareness.getStates().size !== sizeOf(i));
  const first = rosters.slice(0, 3).map(({ presence, room: { roster } }) => {
    const waiting = roster.users.filter((user) => user.reconnecting).map(({ id }) => id);
    return { who: presence.user.id, status: roster.status, users: roster.users.length, waiting };
  });
  return { rosters: rosters.length, lobbies: lobbies.length, stocks: stocks.length, first };
}

/** @param {readonly { readonly reconnecting?: boolean }[]} users */
const isWaiting = (users) => users.some((user) => user.reconnecting === true);

/** Begins to count anew. */
function mark() {
  since = now();
  [leaves, joins, opened, heldMs] = [[], [], [], 0];
  away = new Map();
  [reconnecting, stale] = [new Map(), new Map()];
}

function report() {
  /** @param {Iterable<number>} times */
  const last = (times) => Math.round(Math.max(0, ...times));
  return {
    leaves: leaves.length,
    joins: joins.length,
    who: [...new Set([...leaves, ...joins])].slice(0, 5),
    // those who came back too late have rightly left: what is told of all others is false for sure
    unexplained: [...leaves, ...joins].filter((userId) => !wasAwayTooLong(userId)).length,
    ofStock: [...leaves, ...joins].filter((userId) => userId.startsWith("stock")).length,
    awayMs: last(away.values()),
    heldMs: Math.round(heldMs),
    reconnecting: { count: reconnecting.size, lastMs: last(reconnecting.values()) },
    stale: { count: stale.size, lastMs: last(stale.values()) },
    opened: opened.map(Math.round),
  };
}

/** @param {string} userId */
const wasAwayTooLong = (userId) => (away.get(userId) ?? 0) > GRACE_MS || downSince.has(userId);

/** Has those who type do so, or stop. @param {boolean} isOn */
function setTyping(isOn) {
  clearInterval(typing);
  if (!isOn) return;
  typing = setInterval(() => {
    for (const { room, doc } of editors) {
      const token = `${++tokens}`;
      const all = typed.get(room) ?? new Set();
      all.add(token);
      typed.set(room, all);
      doc.getArray("tokens").push([token]);
    }
  }, TYPE_MS);
}

/** How many of the edits are missing somewhere, over all documents. */
function edits() {
  let lost = 0;
  const docs = [...own.map(({ room }, i) => [roomOf(i), room.doc]), ...stock.map(({ doc }, i) => [roomOf(i), doc])];
  for (const [room, doc] of /** @type {[string, Y.Doc][]} */ (docs)) {
    const there = new Set(doc.getArray("tokens").toArray());
    for (const token of typed.get(room) ?? []) if (!there.has(token)) lost++;
  }
  return { typed: tokens, lost };
}

/**
 * A stock client moves from one relay to another, again and again: how long until it sees all, and is seen by all.
 *
 * @param {{ urls: string[], times: number, room: string, others: number }} given
 */
async function move({ urls, times, room, others }) {
  const [first = "", second = ""] = urls;
  const people = Array.from({ length: others }, (_, i) =>
    stockClient(i % 2 === 0 ? first : second, room, `other ${i}`),
  );
  const mover = stockClient(first, room, "mover");
  await until(() => [mover, ...people].every(({ awareness }) => awareness.getStates().size === others + 1));
  const results = [];
  for (let i = 0; i < times; i++) {
    // others are idle, or move
    if (i % 2 === 0) for (const { awareness } of people) awareness.setLocalStateField("cursor", i);
    mover.disconnect();
    await until(() => people.every(({ awareness }) => awareness.getStates().size === others));
    mover.serverUrl = i % 2 === 0 ? second : first;
    mover.awareness.setLocalState({ user: { id: "mover", name: "mover" } });
    const at = now();
    let [sees, seen] = [0, 0];
    mover.connect();
    await until(() => {
      if (sees === 0 && mover.awareness.getStates().size === others + 1) sees = now() - at;
      if (seen === 0 && people.every(({ awareness }) => awareness.getStates().size === others + 1)) seen = now() - at;
      return sees > 0 && seen > 0;
    });
    results.push({ sees: Math.round(sees), seen: Math.round(seen) });
  }
  for (const provider of [mover, ...people]) provider.destroy();
  return results;
}

/** @param {() => boolean} condition */
async function until(condition) {
  const deadline = now() + 40_000;
  while (!condition()) {
    if (now() > deadline) throw new Error("a client that moved is not whole after 40 s");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** @type {Record<string, (given: any) => unknown>} */
const orders = { start, missing, mark, report, type: setTyping, edits, move };

/** @param {{ id: number, order: string, given: unknown }} message */
async function obey({ id, order, given }) {
  try {
    process.send?.({ id, answer: (await orders[order]?.(given)) ?? null });
  } catch (error) {
    process.send?.({ id, error: String(error) });
  }
}

process.on("message", (message) => void obey(/** @type {Parameters<typeof obey>[0]} */ (message)));
process.once("disconnect", () => process.exit(0));
