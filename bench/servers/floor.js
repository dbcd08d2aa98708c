// @ts-check
/**
 * The least that a fan-out can cost: takes WebSockets, reads nothing of what they say, and writes a frame of `FRAME_BYTES`
 * to each, every `TICK_MS`. `PORT` says where.
 */
import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { performance } from "node:perf_hooks";

const { PORT, FRAME_BYTES, TICK_MS } = process.env;
const tickMs = Number(TICK_MS);

const MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** A message type that clients ignore. */
const AUTH = 2;

/** @type {Set<import("node:net").Socket>} */
const sockets = new Set();
const frame = serverFrame(Number(FRAME_BYTES));

createServer({ noDelay: true }, (socket) => {
  socket.once("data", (request) => {
    const key = /^Sec-WebSocket-Key: (.*)\r$/im.exec(request.toString("latin1"))?.[1] ?? "";
    const accept = createHash("sha1").update(`${key}${MAGIC}`).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.on("data", () => {});
    sockets.add(socket);
  });
  socket.on("error", () => {});
  socket.on("close", () => sockets.delete(socket));
}).listen(Number(PORT), "127.0.0.1");

let next = performance.now();
function tick() {
  for (const socket of sockets) socket.write(frame);
  next += tickMs;
  setTimeout(tick, next - performance.now());
}
tick();

/** @param {number} length  with its header */
function serverFrame(length) {
  const header = length < 126 + 2 ? 2 : length < 65_536 + 4 ? 4 : 10;
  const bytes = Buffer.alloc(length, 32);
  bytes[0] = 0x82;
  bytes[1] = header === 2 ? length - 2 : header === 4 ? 126 : 127;
  if (header === 4) bytes.writeUInt16BE(length - 4, 2);
  if (header === 10) bytes.writeBigUInt64BE(BigInt(length - 10), 2);
  bytes[header] = AUTH;
  return bytes;
}
