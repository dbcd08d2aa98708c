/** The WebSockets of our client that come through the tunnel of one socket: one for each room, and one for the lobby. [HOC-5] */
import type { Addressing, HubLink } from "../hub/index.ts";
import { Close, FrameError, PATCH_SUBPROTOCOL } from "../wire/index.ts";
import type { Authority } from "./authority.ts";
import { type OpenRequest, type TunnelMessage, dataPrefix, decodeTunnel, encodeTunnel } from "./tunnel.ts";

/** Streams of one socket, and those of them that somebody has still to let in. [HOC-11] */
const MAX_STREAMS = 1_000;
const MAX_PENDING = 100;

export interface StreamsSetup<Context> {
  readonly authority: Authority<Context>;
  readonly request: Request;
  readonly context: object;
  readonly onError: (error: unknown, where: string) => void;
  /** Joins the hub with a link of its own, when the first of the streams is let in. */
  readonly connect: (addressing: Addressing, userId: string | null) => HubLink;
  readonly send: (message: Uint8Array) => void;
  /** Somebody was let in. */
  readonly letIn: () => void;
}

export class Streams<Context> {
  readonly #setup: StreamsSetup<Context>;
  #link: HubLink | null = null;
  readonly #open = new Set<number>();
  readonly #pending = new Set<number>();
  #isClosed = false;

  constructor(setup: StreamsSetup<Context>) {
    this.#setup = setup;
  }

  /** @param bytes the message as it came */
  take(message: TunnelMessage, bytes: Uint8Array): void {
    const { stream } = message;
    switch (message.type) {
      case "open":
        return this.#ask(stream, message.request);
      case "data":
        if (this.#open.has(stream)) this.#link?.message(bytes);
        return;
      case "close":
        this.#pending.delete(stream);
        if (this.#open.delete(stream)) this.#link?.close(String(stream), message.code);
        return;
      case "opened":
        // the server says this
        return;
    }
  }

  alive(): void {
    this.#link?.alive();
  }

  closed(code: number): void {
    this.#isClosed = true;
    this.#pending.clear();
    this.#open.clear();
    this.#link?.closed(code);
  }

  #ask(stream: number, request: OpenRequest): void {
    if (this.#open.has(stream) || this.#pending.has(stream)) return;
    if (!request.protocols.includes(PATCH_SUBPROTOCOL))
      return this.#refuse(stream, Close.notAllowed, `${PATCH_SUBPROTOCOL} was not offered`);
    if (this.#pending.size >= MAX_PENDING || this.#open.size >= MAX_STREAMS) {
      return this.#refuse(stream, Close.overloaded, "too many rooms");
    }
    this.#pending.add(stream);
    void this.#letIn(stream, request);
  }

  async #letIn(stream: number, { room, lobby, token }: OpenRequest): Promise<void> {
    const { authority, request, context } = this.#setup;
    // [HOC-9]
    const authenticate = (given: string) => authority.authenticate({ request, context, room, token: given });
    try {
      const identity = await authenticate(token);
      // it may be gone meanwhile
      if (!this.#pending.delete(stream) || this.#isClosed) return;
      this.#link ??= this.#setup.connect(
        new StreamAddressing((each) => this.#open.delete(each)),
        identity?.userId ?? null,
      );
      this.#setup.letIn();
      this.#open.add(stream);
      this.#setup.send(encodeTunnel({ type: "opened", stream, protocol: PATCH_SUBPROTOCOL }));
      this.#link.open(String(stream), { room, identity, lobby, renew: authenticate });
    } catch (error) {
      this.#pending.delete(stream);
      this.#open.delete(stream);
      if (this.#isClosed) return;
      if (error instanceof RangeError) return this.#refuse(stream, Close.notAllowed, error.message);
      const reason = reasonOf(error);
      this.#refuse(stream, Close.notAuthenticated, reason);
    }
  }

  #refuse(stream: number, code: number, reason: string): void {
    this.#setup.send(encodeTunnel({ type: "close", stream, code, reason }));
  }
}

/** Hocuspocus tells its providers the `reason` of what a hook throws, and nothing else of it. */
function reasonOf(error: unknown): string {
  const { reason } = ((typeof error === "object" ? error : null) as { readonly reason?: unknown }) ?? {};
  return typeof reason === "string" ? reason : "not authenticated";
}

/** Channels of a link that are streams of the tunnel. */
class StreamAddressing implements Addressing {
  readonly #prefixes = new Map<string, Uint8Array>();
  readonly #onClosed: (stream: number) => void;

  constructor(onClosed: (stream: number) => void) {
    this.#onClosed = onClosed;
  }

  split(message: Uint8Array): { readonly channel: string; readonly frame: Uint8Array } {
    const read = decodeTunnel(message);
    if (read?.type !== "data") throw new FrameError("unexpected message in the tunnel");
    return { channel: String(read.stream), frame: read.data };
  }

  prefixOf(channel: string): Uint8Array {
    let prefix = this.#prefixes.get(channel);
    if (prefix === undefined) {
      prefix = dataPrefix(Number(channel));
      this.#prefixes.set(channel, prefix);
    }
    return prefix;
  }

  closed(channel: string, code: number, reason: string): Uint8Array {
    this.#prefixes.delete(channel);
    this.#onClosed(Number(channel));
    return encodeTunnel({ type: "close", stream: Number(channel), code, reason });
  }
}
