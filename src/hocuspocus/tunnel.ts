/**
 * The tunnel: WebSockets of our client inside the WebSocket that an application has to its Hocuspocus server. Its messages
 * look to Hocuspocus as if they were of a document of a name that no document has.
 */
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";

/** What each message of the tunnel begins with, where Hocuspocus has the name of a document. */
export const TUNNEL_NAME = "@copresence";

/** What is asked of the server: a link. */
export interface OpenRequest {
  /** The lobby to count in; the empty text: the default one. */
  readonly lobby: string;
  /** The empty text: there is none. */
  readonly token: string;
  /** The subprotocols that the client offers. */
  readonly protocols: readonly string[];
}

/** One message of the tunnel. `stream` is a number that the client gives to each of its WebSockets. */
export type TunnelMessage =
  /** Client → server. */
  | { readonly type: "open"; readonly stream: number; readonly request: OpenRequest }
  /** Server → client: it is let in. */
  | { readonly type: "opened"; readonly stream: number; readonly protocol: string }
  /** Both ways. */
  | { readonly type: "data"; readonly stream: number; readonly data: Uint8Array }
  /** Both ways: it is over, and the socket goes on. */
  | { readonly type: "close"; readonly stream: number; readonly code: number; readonly reason: string };

const TYPES = ["open", "opened", "data", "close"] as const;
const DATA = 2;

/** What stands before the data of a stream. */
export function dataPrefix(stream: number): Uint8Array {
  return encoding.encode((encoder) => writeHead(encoder, stream, DATA));
}

export function encodeTunnel(message: TunnelMessage): Uint8Array {
  return encoding.encode((encoder) => {
    writeHead(encoder, message.stream, TYPES.indexOf(message.type));
    switch (message.type) {
      case "open":
        return encoding.writeVarString(encoder, JSON.stringify(message.request));
      case "opened":
        return encoding.writeVarString(encoder, message.protocol);
      case "data":
        return encoding.writeUint8Array(encoder, message.data);
      case "close":
        encoding.writeVarUint(encoder, message.code);
        return encoding.writeVarString(encoder, message.reason);
    }
  });
}

const NAME_BYTES: Uint8Array = encoding.encode((encoder) => encoding.writeVarString(encoder, TUNNEL_NAME));

/** Whether a message of the socket is one of the tunnel. */
export function isTunnel(message: Uint8Array): boolean {
  return message.length > NAME_BYTES.length && NAME_BYTES.every((byte, i) => message[i] === byte);
}

/** Reads a message of the tunnel; null: it is none that this version knows. */
export function decodeTunnel(message: Uint8Array): TunnelMessage | null {
  try {
    return read(decoding.createDecoder(message.subarray(NAME_BYTES.length)));
  } catch {
    // it ends in the midst, or is no JSON
    return null;
  }
}

function read(decoder: decoding.Decoder): TunnelMessage | null {
  const stream = decoding.readVarUint(decoder);
  const type: TunnelMessage["type"] | undefined = TYPES[decoding.readVarUint(decoder)];
  switch (type) {
    case "open": {
      const request = readRequest(JSON.parse(decoding.readVarString(decoder)));
      return request === null ? null : { type, stream, request };
    }
    case "opened":
      return { type, stream, protocol: decoding.readVarString(decoder) };
    case "data":
      return { type, stream, data: decoding.readTailAsUint8Array(decoder) };
    case "close":
      return { type, stream, code: decoding.readVarUint(decoder), reason: decoding.readVarString(decoder) };
    case undefined:
      return null;
  }
}

function readRequest(value: unknown): OpenRequest | null {
  if (typeof value !== "object" || value === null) return null;
  const { lobby, token, protocols } = value as Record<string, unknown>;
  if (typeof lobby !== "string" || typeof token !== "string" || !Array.isArray(protocols)) return null;
  return { lobby, token, protocols: protocols.filter((each) => typeof each === "string") };
}

function writeHead(encoder: encoding.Encoder, stream: number, type: number): void {
  encoding.writeUint8Array(encoder, NAME_BYTES);
  encoding.writeVarUint(encoder, stream);
  encoding.writeVarUint(encoder, type);
}
