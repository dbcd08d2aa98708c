// @ts-check
/** The little of RFC 6455 that a client needs which never sends fragments and whose mask is zero. */
import { randomBytes } from "node:crypto";

export const Opcode = /** @type {const} */ ({ text: 1, binary: 2, close: 8, ping: 9, pong: 10 });

const FIN = 0x80;
const MASKED = 0x80;
const MASK_BYTES = 4;

/**
 * A frame from a client. The mask key is zero, so the payload stands in it as it is, and may be changed in place.
 *
 * @param {readonly Uint8Array[]} payload  in pieces
 * @param {number} [opcode]
 */
export function clientFrame(payload, opcode = Opcode.binary) {
  const length = payload.reduce((sum, piece) => sum + piece.length, 0);
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  let at = 2 + lengthBytes + MASK_BYTES;
  const frame = Buffer.allocUnsafe(at + length);
  frame.fill(0, 0, at);
  frame[0] = FIN | opcode;
  frame[1] = MASKED | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) frame.writeUInt16BE(length, 2);
  if (lengthBytes === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  for (const piece of payload) {
    frame.set(piece, at);
    at += piece.length;
  }
  return frame;
}

/** @param {number} code */
export function closeFrame(code) {
  return clientFrame([Uint8Array.of(code >> 8, code & 0xff)], Opcode.close);
}

/**
 * The request that opens a WebSocket.
 *
 * @param {string} path
 * @param {string | null} subprotocol
 */
export function handshake(path, subprotocol) {
  const lines = [
    `GET ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    ...(subprotocol === null ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}
