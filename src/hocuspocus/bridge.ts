/**
 * One socket of a Hocuspocus server: what is about presence goes to the hub, the rest to Hocuspocus. Awareness never
 * reaches Hocuspocus, whose own stays empty.
 */
import type { Extension, Hocuspocus, WebSocketLike } from "@hocuspocus/server";
import type { HubLink, HubSocket, PresenceHub } from "../hub/index.ts";
import { isRoomName } from "../wire/index.ts";
import { DocumentAddressing, answerOf, readHead } from "./address.ts";
import type { Authority } from "./authority.ts";
import { decodeTunnel, isTunnel } from "./tunnel.ts";
import { Streams } from "./streams.ts";

type ClientConnection = ReturnType<Hocuspocus["handleConnection"]>;
type Connected = Parameters<NonNullable<Extension["connected"]>>[0];

export interface BridgeSetup<Context> {
  readonly hub: PresenceHub;
  readonly authority: Authority<Context>;
  readonly incoming: WebSocketLike;
  readonly request: Request;
  readonly client: ClientConnection;
  readonly context: object | undefined;
  readonly address: string;
  readonly onError: (error: unknown, where: string) => void;
  /** The socket is gone. */
  readonly onClosed: () => void;
}

/** What `ws` has, and Hocuspocus does not ask for. */
interface MaybeNodeSocket extends WebSocketLike {
  readonly bufferedAmount?: number;
  on?(event: "ping" | "pong", listener: () => void): void;
  ping?(): void;
  terminate?(): void;
}

/** What Hocuspocus 4.7 and later have: no document needs to be authenticated for a socket that the tunnel has. */
interface MaybeAuthenticated {
  hasAuthenticated?: boolean;
}

/** Awareness that came before its document was let in: bytes of it that are kept, and what each message takes besides. */
const MAX_EARLY_BYTES = 256 * 1024;
const EARLY_MESSAGE_BYTES = 256;
/** Characters of a name in a report. */
const MAX_SHOWN = 64;
/** Providers from this version on do not say back what they hear. */
const FIRST_WITHOUT_ECHO = [4, 5] as const;

export class Bridge<Context> {
  readonly #setup: BridgeSetup<Context>;
  readonly #socket: MaybeNodeSocket;
  readonly #streams: Streams<Context>;
  /** The documents of plain providers; null: there was none yet. */
  #documents: HubLink | null = null;
  /** Addresses of documents that were let in; and of those of them whose providers have said nothing of themselves yet. */
  readonly #open = new Set<string>();
  readonly #unanswered = new Set<string>();
  /** What came before that, by address. */
  readonly #early = new Map<string, Uint8Array[]>();
  #earlyBytes = 0;

  constructor(setup: BridgeSetup<Context>) {
    this.#setup = setup;
    const { hub, authority, client, incoming, request, context = {}, address } = setup;
    this.#socket = incoming;
    this.#streams = new Streams({
      hub,
      authority,
      request,
      context,
      address,
      socket: this.#hubSocket(),
      letIn: () => {
        const { hasAuthenticated } = client as unknown as MaybeAuthenticated;
        if (hasAuthenticated === false) (client as unknown as MaybeAuthenticated).hasAuthenticated = true;
      },
    });
    const { handleMessage } = client;
    client.handleMessage = (data) => {
      if (!this.#take(data)) handleMessage(data);
    };
    const handleClose = client.handleClose.bind(client);
    client.handleClose = (event) => {
      this.#closed(event?.code ?? 1006);
      handleClose(event);
    };
    // [HOC-7]
    for (const sign of ["ping", "pong"] as const) this.#socket.on?.(sign, () => this.#alive());
  }

  /** Hocuspocus has let a provider in to a document. [HOC-2] */
  connected({ connection, context, documentName, providerVersion }: Connected): void {
    const address = connection.messageAddress;
    try {
      const identity = this.#setup.authority.identify(context as Context, documentName);
      // Hocuspocus says when somebody's time is over
      const { expiresAt: _, ...stays } = identity ?? { expiresAt: undefined, userId: "" };
      this.#documentsOf(identity?.userId ?? null).open(address, {
        room: documentName,
        identity: identity === null ? null : { ...stays },
        echoing: "after its answer",
      });
    } catch (error) {
      // its grants leave it out: a document without presence
      if (error instanceof RangeError && isRoomName(documentName)) return;
      // [HOC-16] not named in the place: clients choose names, and each place may be reported once a second
      const name = shown(documentName);
      this.#setup.onError(
        new Error(`no presence in the document ${name}: ${String(error)}`, { cause: error }),
        "identify",
      );
      return;
    }
    this.#open.add(address);
    connection.onClose((_document, event) => {
      this.#open.delete(address);
      this.#unanswered.delete(address);
      this.#documents?.close(address, event?.code ?? 1006);
    });
    const early = this.#early.get(address) ?? [];
    this.#early.delete(address);
    for (const message of early) {
      this.#earlyBytes -= message.length + EARLY_MESSAGE_BYTES;
      this.#documents?.message(message);
    }
    // a provider announces itself before it can have heard of anybody: what it says later may be an echo
    if (early.length > 0 || saysBack(providerVersion)) this.#answer(address);
    else this.#unanswered.add(address);
  }

  /** Has the hub take it that the provider has said all that it had to say of itself: Hocuspocus does the asking. */
  #answer(address: string): void {
    this.#unanswered.delete(address);
    this.#documents?.message(answerOf(address));
  }

  /** Acts on a message, if it is about presence. [HOC-1] */
  #take(message: Uint8Array): boolean {
    if (isTunnel(message)) {
      const read = decodeTunnel(message);
      if (read !== null) this.#streams.take(read);
      return this.#heard();
    }
    const head = readHead(message);
    if (head === null) return false;
    const { address, isPresence, isAnswer } = head;
    const isOpen = this.#open.has(address);
    if (isPresence) {
      if (isOpen) this.#documents?.message(message);
      else this.#keep(address, message);
      this.#heard();
    } else {
      this.#documents?.alive();
      this.#streams.alive();
    }
    if ((isPresence || isAnswer) && this.#unanswered.has(address)) this.#answer(address);
    return isPresence;
  }

  /** Awareness that comes before its document is let in waits for that. [HOC-11] */
  #keep(address: string, message: Uint8Array): void {
    const bytes = message.length + EARLY_MESSAGE_BYTES;
    if (this.#earlyBytes + bytes > MAX_EARLY_BYTES) return;
    this.#earlyBytes += bytes;
    const early = this.#early.get(address) ?? [];
    early.push(message.slice());
    this.#early.set(address, early);
  }

  /** Hocuspocus would else close a socket that says nothing to it. */
  #heard(): true {
    this.#setup.client.lastMessageReceivedAt = Date.now();
    return true;
  }

  #alive(): void {
    this.#heard();
    this.#documents?.alive();
    this.#streams.alive();
  }

  #closed(code: number): void {
    this.#documents?.closed(code);
    this.#streams.closed(code);
    this.#early.clear();
    this.#setup.onClosed();
  }

  /** Closes the socket. */
  end(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  #documentsOf(userId: string | null): HubLink {
    const { hub, address } = this.#setup;
    const addressing = new DocumentAddressing();
    this.#documents ??= hub.connect(this.#hubSocket(), { address, addressing, ...(userId !== null && { userId }) });
    return this.#documents;
  }

  /** The socket as the hub needs it. */
  #hubSocket(): HubSocket {
    const socket = this.#socket;
    return {
      get bufferedAmount() {
        return socket.bufferedAmount ?? 0;
      },
      send: (message) => socket.send(message),
      ping: () => socket.ping?.(),
      close: (code, reason) => socket.close(code, reason),
      terminate: () => (socket.terminate === undefined ? socket.close(1001, "") : socket.terminate()),
    };
  }
}

/** The beginning of a name that anybody may have chosen, in one line. */
function shown(name: string): string {
  return JSON.stringify(name.slice(0, MAX_SHOWN));
}

/** Whether a provider says back what it hears, by its version. */
export function saysBack(version: string | null): boolean {
  const [major = 0, minor = 0] = (version ?? "").split(".").map(Number);
  const [firstMajor, firstMinor] = FIRST_WITHOUT_ECHO;
  return !(major > firstMajor || (major === firstMajor && minor >= firstMinor));
}
