// @ts-check
/**
 * People who type, each a letter behind the last one of their own: a keystroke is an update of the document and, unless
 * the document is all that is measured, a moved cursor. Some of the receivers keep a real Yjs document, by which it is
 * known what has reached them; texts are compared at the end.
 */
import { setTimeout as sleep } from "node:timers/promises";
import * as Y from "yjs";
import { inBatches } from "./batches.js";
import { clientKind } from "./clients/index.js";
import { FIRST_ID } from "./clients/client.js";
import { updateIn } from "./clients/documents.js";
import { Connection } from "./connection.js";
import { Freshness } from "./freshness.js";
import { Meter } from "./meter.js";
import { Pacer } from "./pacer.js";
import { varintLength, writeVarint } from "./varint.js";

/** How long late updates are waited for after the measured time, ms. */
const DRAIN_MS = 3_000;
const SETTLE_MS = 1_500;
const ROOM = "typing";

/**
 * @typedef {object} TypingOptions
 * @property {number} port
 * @property {number} serverPid
 * @property {string} kind  Of client.
 * @property {number} people
 * @property {number} perSecond  Keystrokes of each.
 * @property {number} measured  How many receivers keep a document.
 * @property {boolean} cursors  Whether a keystroke moves a cursor, too, which clients say back.
 * @property {number} warmMs
 * @property {number} windowMs
 */

/** @param {TypingOptions} options */
export async function typing({ port, serverPid, kind, people, perSecond, measured, cursors, warmMs, windowMs }) {
  const count = Math.min(people, measured);
  const receivers = Array.from({ length: count }, (_, i) => Math.floor((i * people) / count));
  const freshness = new Freshness({ senders: people, perRoom: people, changesPerSecond: perSecond, receivers });
  /** @type {Map<number, Y.Doc>} */
  const docs = new Map(receivers.map((receiver) => [receiver, new Y.Doc()]));
  const typed = new Int32Array(people);

  /** @type {import("./connection.js").ConnectionEvents["message"]} */
  const onMessage = (connection, bytes, start, end) => {
    const doc = docs.get(connection.index);
    const update = doc === undefined ? null : updateIn(kind, bytes, start, end);
    if (doc === undefined || update === null) return;
    const { before, after } = transactionOf(doc, update);
    for (const [client, clock] of after) {
      if (clock !== before.get(client)) freshness.received(connection.index, client - FIRST_ID, clock);
    }
  };
  const connections = Array.from({ length: people }, (_, index) => {
    const connection = new Connection(clientKind(kind), index, ROOM, { message: onMessage });
    connection.echo = cursors;
    return connection;
  });
  await inBatches(connections, (connection) => connection.open({ port }));
  await sleep(SETTLE_MS);
  for (const connection of connections) connection.whole = cursors || docs.has(connection.index);

  /** @param {number} index */
  const keystroke = (index) => {
    const connection = connections[index];
    if (connection === undefined) return;
    const clock = typed[index] ?? 0;
    const update = insertion(FIRST_ID + index, clock);
    const own = docs.get(index);
    if (own !== undefined) Y.applyUpdate(own, update);
    typed[index] = clock + 1;
    connection.send(connection.kind.updateMessage(ROOM, update));
    if (cursors) connection.change();
    freshness.sent(index, clock + 1);
  };
  const pacer = new Pacer(people * perSecond, (turn) => keystroke(turn % people));
  pacer.start();
  await sleep(warmMs);
  const before = typed.reduce((sum, each) => sum + each, 0);
  const meter = new Meter(serverPid, connections);
  freshness.begin();
  await sleep(windowMs);
  freshness.end();
  const reading = meter.read();
  const keystrokes = typed.reduce((sum, each) => sum + each, 0) - before;
  pacer.stop();
  await sleep(DRAIN_MS);
  const texts = new Set([...docs.values()].map((doc) => doc.getText("t").toString()));
  const [text = ""] = texts;
  const letters = typed.reduce((sum, each) => sum + each, 0);
  const isSame = texts.size === 1 && text.length === letters;
  return { ...reading, ...freshness.finish(), keystrokes, letters, isSame };
}

/**
 * Applies an update. Returns what was known of each client before and after.
 *
 * @param {Y.Doc} doc
 * @param {Uint8Array} update
 */
function transactionOf(doc, update) {
  /** @type {{ before: Map<number, number>, after: Map<number, number> }} */
  const seen = { before: new Map(), after: new Map() };
  const onEnd = (/** @type {Y.Transaction} */ { beforeState, afterState }) => {
    seen.before = beforeState;
    seen.after = afterState;
  };
  doc.once("afterTransaction", onEnd);
  Y.applyUpdate(doc, update);
  return seen;
}

const ROOT = 0x04;
const BEHIND = 0x84;

/**
 * The update by which a client puts a letter behind its last one, as Yjs writes it.
 *
 * @param {number} client
 * @param {number} clock
 */
export function insertion(client, clock) {
  const letter = [1, 97 + (clock % 26)];
  const place = clock === 0 ? [1, 1, "t".charCodeAt(0)] : null;
  const size =
    4 + varintLength(client) * 2 + varintLength(clock) * 2 + letter.length + (place === null ? 0 : place.length);
  const bytes = new Uint8Array(size + 4);
  let at = writeVarint(bytes, 0, 1);
  at = writeVarint(bytes, at, 1);
  at = writeVarint(bytes, at, client);
  at = writeVarint(bytes, at, clock);
  bytes[at++] = place === null ? BEHIND : ROOT;
  if (place === null) {
    at = writeVarint(bytes, at, client);
    at = writeVarint(bytes, at, clock - 1);
  } else for (const each of place) bytes[at++] = each;
  for (const each of letter) bytes[at++] = each;
  // nothing is deleted
  bytes[at++] = 0;
  return bytes.subarray(0, at);
}
