// The relay, over its HTTP API.

/** @typedef {{ rule: string, text: string, at: number | null }} Reason */
/** @typedef {{ id: string, name?: string, status: string, rooms: string[], sessions: { id: string }[], lastSeen: number | null }} User */
/** @typedef {{ room: string, session: string, from: string, address: string, visible: boolean, reasons: Reason[] }} Connection */
/** @typedef {{ id: string, user: User | null, reasons: Reason[], connections: Connection[] }} Person */
/** @typedef {{ name: string, users: number, connections: number, stock: number, hasDocument: boolean }} Room */
/** @typedef {{ address: string, kind: string, user: string | null, rooms: number, unsentBytes: number, quietMs: number, silent: boolean }} Socket */
/** @typedef {{ shard: string, users: number, rooms: number, connections: number, sockets: number, unsentBytes: number, stateBytes: number, otherRelays: number | null, trouble: string | null }} Numbers */
/** @typedef {{ now: number, relay: Numbers, rooms: Room[], sockets: Socket[] }} Overview */
/** @typedef {{ type: string, userId: string, roomId: string, status: string, timestamp: number, user?: User }} Happening */

const AGAIN_MS = 2_000;

/** Says what is wrong with a key, or with the relay. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** @type {string | null} */
let key = null;
/** @type {Map<string, { tag: string, body: unknown }>} */
const known = new Map();

/** @param {string | null} given */
export function setKey(given) {
  key = given;
  known.clear();
}

/**
 * @param {string} path
 * @param {{ headers?: Record<string, string>, signal?: AbortSignal }} [init]
 */
async function ask(path, init = {}) {
  const response = await fetch(`api/v1${path}`, {
    ...init,
    headers: { ...init.headers, authorization: `Bearer ${key}` },
  });
  if (response.ok || response.status === 304) return response;
  const body = await response.json().catch(() => null);
  throw new Refused(response.status, body?.error?.message ?? `the relay answers ${response.status}`);
}

/**
 * @template T
 * @param {string} path
 * @returns {Promise<T>}
 */
export async function get(path) {
  const before = known.get(path);
  const response = await ask(path, before && { headers: { "if-none-match": before.tag } });
  if (response.status === 304 && before !== undefined) return /** @type {T} */ (before.body);
  const body = /** @type {T} */ (await response.json());
  const tag = response.headers.get("etag");
  if (known.size > 50) known.clear();
  if (tag !== null) known.set(path, { tag, body });
  return body;
}

/**
 * Listens to what happens, and goes on when the connection is lost.
 *
 * @param {{ happened: (event: Happening) => void, state: (isLive: boolean) => void }} listener
 * @returns {() => void} the undo
 */
export function listen({ happened, state }) {
  const abort = new AbortController();
  /** @type {string | undefined} */
  let last;
  const run = async () => {
    while (!abort.signal.aborted) {
      try {
        const headers = last === undefined ? {} : { "last-event-id": last };
        const { body } = await ask("/events", { signal: abort.signal, headers });
        state(true);
        for await (const { id, type, data } of messagesOf(body)) {
          last = id ?? last;
          if (type !== "reset" && data !== "") happened(JSON.parse(data));
        }
      } catch (error) {
        if (error instanceof Refused && error.status < 500 && error.status !== 429) break;
      }
      if (!abort.signal.aborted) state(false);
      await new Promise((resolve) => {
        setTimeout(resolve, AGAIN_MS);
      });
    }
  };
  void run();
  return () => abort.abort();
}

/**
 * Server-sent events: EventSource would not send a key.
 *
 * @param {ReadableStream<Uint8Array> | null} body
 */
async function* messagesOf(body) {
  if (body === null) return;
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (text + decoder.decode(value, { stream: true })).split("\n\n");
    text = parts.pop() ?? "";
    for (const part of parts) yield messageIn(part);
  }
}

/** @param {string} part */
function messageIn(part) {
  const fields = part.split("\n").map((line) => /^(\w*): ?(.*)$/.exec(line) ?? []);
  /** @param {string} name */
  const of = (name) => fields.find(([, field]) => field === name)?.[2];
  return { id: of("id"), type: of("event"), data: of("data") ?? "" };
}
