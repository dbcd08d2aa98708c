/** A message on its way to any number of peers: encoded once, and framed once. */
export class Packet {
  /** As the protocol has it (wire/). */
  readonly message: Uint8Array;
  #framed: Buffer | undefined;

  constructor(message: Uint8Array) {
    this.message = message;
  }

  /** As the payload of an unmasked, binary WebSocket frame: RFC 6455, section 5.2. */
  get framed(): Buffer {
    this.#framed ??= frame(this.message);
    return this.#framed;
  }
}

const FINAL_BINARY = 0x82;

function frame(message: Uint8Array): Buffer {
  const { length } = message;
  const headerLength = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const framed = Buffer.allocUnsafe(headerLength + length);
  framed[0] = FINAL_BINARY;
  if (headerLength === 2) framed[1] = length;
  else if (headerLength === 4) {
    framed[1] = 126;
    framed.writeUInt16BE(length, 2);
  } else {
    framed[1] = 127;
    framed.writeBigUInt64BE(BigInt(length), 2);
  }
  framed.set(message, headerLength);
  return framed;
}
