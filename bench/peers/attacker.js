// @ts-check
/**
 * A hostile client in a process of its own: `node attacker.js <url> <attack> <seconds> <named>`. With `named`, each message
 * begins with the name of its document, as those of Hocuspocus do. See peers/costly.js for what it does.
 */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import * as encoding from "lib0/encoding";
import { WebSocket } from "ws";
import { costly } from "./costly.js";

const [url = "", attack = "", seconds = "0", named = ""] = process.argv.slice(2);
const endsAt = performance.now() + Number(seconds) * 1_000;
let sent = 0;
/** @type {Set<string>} */
const closes = new Set();

/** @param {string} path @param {string} [protocol] @returns {Promise<import("./costly.js").Line>} */
async function dial(path, protocol) {
  const isNamed = named === "named";
  const socket = new WebSocket(`${url}/${isNamed ? "" : path}`, protocol === undefined ? [] : [protocol]);
  socket.on("error", () => {});
  socket.on("close", (code, reason) => closes.add(`${code} ${reason.toString()}`.trim()));
  /** @type {import("node:net").Socket | null} */
  let tcp = null;
  socket.once("upgrade", (response) => {
    tcp = response.socket;
  });
  await Promise.race([once(socket, "open"), once(socket, "close")]);
  const isOpen = () => socket.readyState === WebSocket.OPEN;
  /** @param {Uint8Array} message */
  const send = (message) => {
    if (!isOpen()) return;
    const whole = isNamed
      ? encoding.encode((encoder) => {
          encoding.writeVarString(encoder, path);
          encoding.writeUint8Array(encoder, message);
        })
      : message;
    sent += whole.length;
    socket.send(whole);
  };
  if (isNamed) send(Uint8Array.of(2, 0, 0));
  return {
    send,
    sendRaw(raw) {
      sent += raw.length;
      tcp?.write(raw);
    },
    isOpen,
    stopReading: () => void tcp?.pause(),
    leave: () => socket.close(1000),
    get waiting() {
      return tcp?.writableLength ?? 0;
    },
  };
}

const startedAt = performance.now();
await costly[attack]?.({ dial, sleep: (ms) => sleep(ms), isOver: () => performance.now() > endsAt });
const took = (performance.now() - startedAt) / 1_000;
// a close is known once the server has let go of the TCP connection, too
await sleep(2_000);
process.send?.({ sent, seconds: took, closes: [...closes] });
process.exit(0);
