/** How a message says which room it is of: y-websocket's servers read the path, Hocuspocus the beginning of each message. */
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import { MESSAGE } from "./messages.ts";

export interface Dialect {
  readonly name: "y-websocket" | "hocuspocus";
  /** What a client dials to get to a room. */
  address(base: URL, room: string, token: string | null): string;
  /** What a client says before anything else. */
  greeting(token: string | null): readonly Uint8Array[];
  /** Puts what names the room before a message. */
  wrap(room: string, message: Uint8Array): Uint8Array;
  /** Reads past what names the room. */
  decoder(message: Uint8Array): decoding.Decoder;
}

export const yWebsocket: Dialect = {
  name: "y-websocket",
  address(base, room, token) {
    const url = new URL(base);
    url.pathname = `${url.pathname.replace(/\/+$/, "")}/${encodeURIComponent(room)}`;
    if (token !== null) url.searchParams.set("token", token);
    return url.href;
  },
  greeting: () => [],
  wrap: (_room, message) => message,
  decoder: (message) => decoding.createDecoder(message),
};

/** That of @hocuspocus/server 4: the token comes first, in a message of its own. [VERIFY-4] */
export const hocuspocus: Dialect = {
  name: "hocuspocus",
  address: (base) => base.href,
  greeting(token) {
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, MESSAGE.auth);
    encoding.writeVarUint(encoder, 0);
    encoding.writeVarString(encoder, token ?? "");
    return [encoding.toUint8Array(encoder)];
  },
  wrap(room, message) {
    const encoder = encoding.createEncoder();
    encoding.writeVarString(encoder, room);
    encoding.writeUint8Array(encoder, message);
    return encoding.toUint8Array(encoder);
  },
  decoder(message) {
    const decoder = decoding.createDecoder(message);
    decoding.readVarString(decoder);
    return decoder;
  },
};
