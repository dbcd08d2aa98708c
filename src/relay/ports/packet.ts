import { type Control, controlFrame } from "../../wire/index.ts";

/** A message on its way to any number of peers: encoded once, and framed once. */
export class Packet {
  /** As the protocol has it (wire/). */
  readonly message: Uint8Array;
  #framed: Buffer | undefined;
  /** The same behind the prefix that was asked for last: most links call a room by the same number. */
  #prefixed: { readonly prefix: Uint8Array; readonly framed: Buffer } | undefined;
  #joined: { readonly prefix: Uint8Array; readonly bytes: Uint8Array } | undefined;

  constructor(message: Uint8Array) {
    this.message = message;
  }

  /** As the payload of an unmasked, binary WebSocket frame: RFC 6455, section 5.2. */
  get framed(): Buffer {
    this.#framed ??= Buffer.concat([this.header, this.message]);
    return this.#framed;
  }

  /** The same where bytes of a channel's own stand before the message. */
  framedWith(prefix: Uint8Array): Buffer {
    if (this.#prefixed?.prefix !== prefix) {
      this.#prefixed = { prefix, framed: Buffer.concat([this.headerWith(prefix), this.message]) };
    }
    return this.#prefixed.framed;
  }

  /** The message with the prefix before it, made once for all who are sent it with this prefix one after the other. */
  messageWith(prefix: Uint8Array): Uint8Array {
    if (this.#joined?.prefix !== prefix) this.#joined = { prefix, bytes: joined(prefix, this.message) };
    return this.#joined.bytes;
  }

  /** What comes before the message in such a frame: a large one is better sent behind it than copied. */
  get header(): Buffer {
    return headerOf(this.message.length);
  }

  /** The same where bytes of a channel's own stand before the message. */
  headerWith(prefix: Uint8Array): Buffer {
    return Buffer.concat([headerOf(prefix.length + this.message.length), prefix]);
  }
}

/** A control message, ready to be sent. */
export function control(message: Control): Packet {
  return new Packet(controlFrame(message));
}

const FINAL_BINARY = 0x82;

function headerOf(length: number): Buffer {
  const header = Buffer.allocUnsafe(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  header[0] = FINAL_BINARY;
  if (length < 126) header[1] = length;
  else if (length < 65_536) {
    header[1] = 126;
    header.writeUInt16BE(length, 2);
  } else {
    header[1] = 127;
    header.writeBigUInt64BE(BigInt(length), 2);
  }
  return header;
}

function joined(prefix: Uint8Array, message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(prefix.length + message.length);
  bytes.set(prefix);
  bytes.set(message, prefix.length);
  return bytes;
}
