/** The hub without a server: makes any WebSocket server of yours a presence server. */
import { type Unsubscribe, type User, isRecord } from "../presence/index.ts";
import { FrameError, checkRoomName, encode, isReserved, checkedLobbyRoom } from "../wire/index.ts";
import type { Echoing } from "../awareness/index.ts";
import { LazyApi } from "../relay/api/lazy.ts";
import { accessTo, denial, openAccess } from "../relay/access/grants.ts";
import { type Identity, readAnswer } from "../relay/access/identity.ts";
import type { Renew } from "../relay/access/renewal.ts";
import type { RoomDecision } from "../relay/wiring/room-channels.ts";
import type { RelayEvents } from "../relay/wiring/events.ts";
import { LinkedHub } from "../relay/wiring/linked-hub.ts";
import type { HubMetrics, RoomInfo } from "../relay/wiring/types.ts";
import { resolveOptions } from "../relay/options.ts";
import { checkParts } from "../relay/parts.ts";
import type { RoomAccess } from "../relay/ports/access.ts";
import type { Addressing } from "../relay/transport/addressing.ts";
import type { Link } from "../relay/transport/link.ts";
import { type ErrorListener, consoleReporter, safeReporter } from "../relay/util/report.ts";
import { AdaptedSocket, type HubSocket } from "./socket.ts";
import { AwaitedAnswers } from "./answers.ts";
import {
  checkAdmission,
  checkConnecting,
  checkDoorkeeper,
  checkHubParts,
  checkSocket,
  readAdmission,
} from "./given.ts";
import type { HubAdmission, HubChannel, HubDoorkeeper, HubLink, HubOptions, PresenceHub } from "./types.ts";

/**
 * Makes a hub.
 *
 * @throws RangeError for an option out of bounds, one that there is not, or a part that is none; TypeError for what are no options
 */
export function createHub(options: HubOptions = {}): PresenceHub {
  if (!isRecord(options)) throw new TypeError("createHub takes its options as an object, or nothing");
  return new Hub(options);
}

const UNKNOWN_ADDRESS = "";
/**
 * Options of a relay that a hub has not, since they are the business of the server around it. An application that gave one of them
 * would believe that the hub looks at tokens or origins. [HUB-3]
 */
const OPTIONS_OF_SERVERS: ReadonlySet<string> = new Set([
  "jwtSecret",
  "jwtPublicKey",
  "jwksUrl",
  "jwtAudience",
  "jwtIssuer",
  "clockTolerance",
  "origins",
  "trustProxy",
  "open",
  "handshakeTimeout",
  "inspect",
  "webhook",
  "webhookSecret",
  "webhookEvents",
  "webhookTimeout",
  "webhookReturn",
  "maxWebhookBacklog",
]);
/** The reasons for a refusal, by the close codes that a server gives. */
const BECAUSE = { 4401: "unauthenticated", 4403: "forbidden", 4501: "expired", 4503: "unavailable" } as const;

class Hub implements PresenceHub {
  readonly #hub: LinkedHub;
  readonly #closeCodes: Readonly<Record<number, number>>;
  readonly #hasDocuments: boolean;
  readonly #onError: ErrorListener;
  readonly #api: LazyApi;
  readonly #answers = new AwaitedAnswers();
  #closing: Promise<void> | undefined;

  constructor({
    documents = "shared",
    store = null,
    sinks = [],
    bus = null,
    closeCodes = {},
    onError = consoleReporter(),
    ...settings
  }: HubOptions) {
    checkParts({ store, bus, onError });
    checkHubParts({ sinks, closeCodes });
    checkSettings(documents, settings);
    this.#closeCodes = closeCodes;
    this.#hasDocuments = documents === "shared";
    this.#onError = safeReporter(onError);
    const { apiKey: keys, apiRate: rate, ...options } = resolveOptions(settings);
    this.#hub = new LinkedHub(options, this.#onError, {
      store,
      sinks,
      bus,
      hasDocuments: this.#hasDocuments,
    });
    this.#api = new LazyApi({ hub: this.#hub, keys, rate, readToken: null, onError: this.#onError });
  }

  accept(socket: HubSocket, admission: HubAdmission): HubChannel {
    checkAdmission(admission);
    const adapted = this.#adapted(socket);
    this.#hub.accept(adapted, admission.address ?? UNKNOWN_ADDRESS, this.#admitted(admission));
    return this.#told(adapted);
  }

  connect(
    socket: HubSocket,
    from: { readonly address?: string; readonly userId?: string; readonly addressing: Addressing },
  ): HubLink {
    checkConnecting(from);
    const adapted = this.#adapted(socket);
    const { address = UNKNOWN_ADDRESS, userId = address, addressing } = from;
    const link = this.#hub.connect(adapted, address, userId, addressing);
    return {
      ...this.#told(adapted),
      open: (name, admission) => {
        checkAdmission(admission);
        this.#hub.open(link, name, this.#admitted(admission));
      },
      close: (name, code = 1000) => this.#closeChannel(link, name, code),
    };
  }

  link(socket: HubSocket, doorkeeper: HubDoorkeeper): HubChannel {
    checkDoorkeeper(doorkeeper);
    const adapted = this.#adapted(socket);
    this.#hub.link(adapted, doorkeeper.address ?? UNKNOWN_ADDRESS, {
      admit: ({ room, keepsHistory = false }) => this.#decided(room, keepsHistory, () => doorkeeper.admit(room)),
      renewed: () => {},
    });
    return this.#told(adapted);
  }

  users(lobby?: string): readonly User[] {
    return this.#hub.users(lobby);
  }

  user(userId: string, lobby?: string): User | undefined {
    return this.#hub.user(userId, lobby);
  }

  rooms(): readonly RoomInfo[] {
    return this.#hub.rooms();
  }

  room(name: string): RoomInfo | undefined {
    return this.#hub.room(name);
  }

  on<K extends keyof RelayEvents>(type: K, listener: (event: RelayEvents[K]) => void): Unsubscribe {
    return this.#hub.events.on(type, listener);
  }

  metrics(): HubMetrics {
    return this.#hub.metrics();
  }

  // [API-18] for servers of others
  api(request: Request, { address = "" }: { readonly address?: string } = {}): Promise<Response> {
    return this.#api.answer(request, address);
  }

  close(): Promise<void> {
    this.#closing ??= this.#api
      .close()
      .then(() => this.#hub.close())
      .finally(() => this.#answers.close());
    return this.#closing;
  }

  /** What a server of somebody else says of a room that a link asks for. */
  #decided(
    room: string,
    keepsHistory: boolean,
    ask: () => ReturnType<HubDoorkeeper["admit"]>,
  ): RoomDecision | Promise<RoomDecision> {
    const read = (answer: unknown): RoomDecision => {
      const said = readAdmission(answer);
      if ("code" in said) return denial(BECAUSE[said.code], said.code, said.reason);
      // in the room that was asked for, whatever room the answer names
      const { echoing: _echoing, ...admitted } = this.#admitted({ ...said, room });
      return { ...admitted, keepsHistory };
    };
    const failed = (error: unknown): RoomDecision => {
      // a room that cannot be, or in which nothing is granted
      if (error instanceof RangeError || error instanceof FrameError) return denial("forbidden", 4403, error.message);
      this.#onError(error, "admit");
      return denial("unavailable", 4503, "nobody can say who may come in");
    };
    try {
      const said = ask();
      return said instanceof Promise ? this.#answers.inTime("admit", said).then(read).catch(failed) : read(said);
    } catch (error) {
      return failed(error);
    }
  }

  #adapted(socket: HubSocket): AdaptedSocket {
    checkSocket(socket);
    return new AdaptedSocket(socket, (error) => this.#onError(error, "a socket"));
  }

  #told(socket: AdaptedSocket): HubChannel {
    return {
      message: (data, isBinary = typeof data !== "string") => socket.message(bytesOf(data), isBinary),
      alive: () => socket.alive(),
      closed: (code = 1006) => socket.closed(this.#closeCodes[code] ?? code),
    };
  }

  #closeChannel(link: Link, name: string, code: number): void {
    link.channels.find((channel) => channel.name === name)?.close(this.#closeCodes[code] ?? code, "");
  }

  #admitted({ room: given, identity, lobby, renew, echoing }: Omit<HubAdmission, "address">) {
    const room = checkedRoom(given);
    // [HOC-15] a client may have chosen it
    const asked = checkedRoom(checkedLobbyRoom(lobby));
    const access = accessOf(room, identity, asked);
    const byDefault: Echoing = this.#hasDocuments ? "after its answer" : "always";
    return {
      room,
      access,
      echoing: echoing ?? byDefault,
      ...(renew !== undefined && { renew: this.#renewOf(renew, room, asked, access) }),
    };
  }

  #renewOf(renew: NonNullable<HubAdmission["renew"]>, room: string, lobby: string, access: RoomAccess): Renew {
    const denied = (code: number, reason: string) => ({ ok: false, because: "unauthenticated", code, reason }) as const;
    return async (token) => {
      try {
        const identity = await this.#answers.inTime("renew", (async () => renew(token))());
        if (identity === null) return denied(4401, "the token is not good");
        const read = readAnswer(identity);
        if (!read.ok) return denial(BECAUSE[read.refusal.code], read.refusal.code, read.refusal.reason);
        const renewed = accessTo(read.identity, room, lobby);
        if (!renewed.ok) return renewed;
        const isSame = renewed.access.user?.id === access.user?.id && renewed.access.lobby === access.lobby;
        return isSame ? renewed.access : denied(4403, "the token is another user's, or of another lobby");
      } catch (error) {
        this.#onError(error, "renew");
        return denied(4503, "authentication is not available");
      }
    };
  }
}

/** Throws a `RangeError` for what is no option of a hub. [HUB-3] */
function checkSettings(documents: unknown, settings: object): void {
  if (documents !== "shared" && documents !== "none") throw new RangeError('documents must be "shared" or "none"');
  const name = Object.keys(settings).find((each) => OPTIONS_OF_SERVERS.has(each));
  if (name === undefined) return;
  throw new RangeError(`a hub has no option "${name}": who comes and from where is the business of your server`);
}

/** A message as bytes, whatever the server has it in. [HUB-2] */
function bytesOf(data: Uint8Array | ArrayBuffer | string): Uint8Array {
  if (data instanceof Uint8Array) return data;
  // some servers take the buffer back when their handler returns, and a message may have to wait for its turn
  return typeof data === "string" ? encode(data) : new Uint8Array(data).slice();
}

/** Throws a `RangeError` for a name that no room or lobby can have. [HUB-5] */
function checkedRoom(name: unknown): string {
  checkRoomName(name);
  if (!isReserved(name)) return name;
  throw new RangeError(`no name of a room: ${name}; of the names that start with @ there are @lobby and @lobby/NAME`);
}

function accessOf(room: string, identity: Identity | null, lobby: string): RoomAccess {
  if (identity === null) return openAccess(room.startsWith("@") ? room : lobby);
  if (!isRecord(identity)) throw new TypeError("identity must be an object, or null: the user is who they claim to be");
  // [HUB-4] an id that is a number, say, would make a guest of the user, without a word
  const read = readAnswer(identity);
  if (!read.ok) throw new RangeError(read.refusal.reason);
  const decided = accessTo(read.identity, room, lobby);
  if (!decided.ok) throw new RangeError(decided.reason);
  return decided.access;
}
