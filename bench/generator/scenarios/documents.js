// @ts-check
/** Many come to a room with a long document at the same time. */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import * as Y from "yjs";
import { clientKind } from "../clients/index.js";
import { updateIn } from "../clients/documents.js";
import { Connection } from "../connection.js";
import { Meter } from "../meter.js";

const ROOM = "long";
const PARAGRAPH = "It was a bright cold day in April, and the clocks were striking thirteen. ";
const STORED_MS = 3_000;

/**
 * @param {{ port: number, serverPid: number, kind: string, bytes: number, people: number, limitMs: number }} options
 */
export async function documents({ port, serverPid, kind, bytes, people, limitMs }) {
  const author = new Connection(clientKind(kind), 0, ROOM);
  await author.open({ port }, { announce: false });
  const doc = new Y.Doc();
  const text = doc.getText("t");
  while (text.length < bytes) {
    text.insert(text.length, PARAGRAPH.repeat(200));
  }
  author.send(author.kind.updateMessage(ROOM, Y.encodeStateAsUpdate(doc)));
  await sleep(STORED_MS);
  const startedAt = performance.now();
  /** @type {number[]} */
  const took = [];
  const newcomers = Array.from({ length: people }, (_, i) => {
    const own = new Y.Doc();
    return new Connection(clientKind(kind), i + 1, ROOM, {
      message: (_connection, chunk, start, end) => {
        const update = updateIn(kind, chunk, start, end);
        if (update === null || own.getText("t").length === text.length) return;
        Y.applyUpdate(own, update);
        if (own.getText("t").length === text.length) took.push(performance.now() - startedAt);
      },
    });
  });
  const meter = new Meter(serverPid, newcomers);
  await Promise.all(newcomers.map((each) => each.open({ port }, { announce: false })));
  while (took.length < people && performance.now() - startedAt < limitMs) await sleep(20);
  const reading = meter.read();
  return {
    ...reading,
    allMs: took.length === people ? Math.max(...took) : null,
    have: took.length,
    length: text.length,
  };
}
