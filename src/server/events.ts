/** Events of the API as an async iterator, which goes on through lost connections. [API-36] */
import type { JsonObject, Status } from "../presence/index.ts";
import { type Asked, type Asking, ServerError, ask } from "./request.ts";
import type { ServerUser } from "./types.ts";

interface EventBase {
  /** No other event ever has it. */
  readonly id: string;
  /** ms since the epoch, by the relay's clock. */
  readonly timestamp: number;
}

/** Who is in a room or lobby. */
export interface ServerPlace {
  readonly roomId: string;
  readonly users: readonly ServerUser[];
}

export type ServerEvent =
  | (EventBase & {
      readonly type: "join" | "leave" | "update";
      readonly userId: string;
      readonly status: Status;
      readonly metadata: JsonObject;
      /** The room, or the lobby (`@lobby`, `@lobby/<name>`). */
      readonly roomId: string;
      readonly user: ServerUser;
      /** Of an update: the user before it. */
      readonly previous?: ServerUser;
    })
  /** How things are: it stands in place of all that was said before. It comes first, and when too much was missed. */
  | (EventBase & { readonly type: "reset"; readonly places: readonly ServerPlace[] });

/** How long to wait before listening again, ms: at first, and at most. */
const RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;
/** The relay says something every 15 s. A connection over which nothing comes for so long is lost, whether or not anybody says so, ms. */
const SILENT_MS = 45_000;
/** What is over when it is tried again: a relay or a proxy was too busy to hear the request, or was asked too much. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429]);

/** Yields events until the signal aborts. Throws a `ServerError` for what trying again does not mend. */
export async function* listen(asking: Asking, asked: Asked): AsyncGenerator<ServerEvent, void, void> {
  const { signal } = asked;
  let lastId: string | undefined;
  let failures = 0;
  while (!isAborted(signal)) {
    const watch = watched(signal);
    try {
      const headers = lastId === undefined ? {} : { "last-event-id": lastId };
      const response = await ask(asking, { ...asked, headers, signal: watch.signal });
      for await (const event of eventsIn(response, watch.alive)) {
        failures = 0;
        lastId = event.id;
        // a caller that takes long to act on it reads nothing meanwhile
        watch.rest();
        yield event;
        watch.alive();
      }
    } catch (error) {
      if (isAborted(signal)) return;
      // what the key does not grant, it will not grant later
      if (error instanceof ServerError && error.status < 500 && !PASSING.has(error.status)) throw error;
    } finally {
      watch.end();
    }
    await pause(Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** failures++), signal);
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/** Watches a connection: its `signal` aborts with the caller's, and when nothing was `alive` for long. [API-36] */
function watched(given: AbortSignal | undefined): {
  readonly signal: AbortSignal;
  readonly alive: () => void;
  readonly rest: () => void;
  readonly end: () => void;
} {
  const own = new AbortController();
  const abort = (): void => own.abort();
  given?.addEventListener("abort", abort);
  if (isAborted(given)) abort();
  let timer = setTimeout(abort, SILENT_MS);
  return {
    signal: own.signal,
    alive: () => {
      clearTimeout(timer);
      timer = setTimeout(abort, SILENT_MS);
    },
    rest: () => clearTimeout(timer),
    end: () => {
      clearTimeout(timer);
      given?.removeEventListener("abort", abort);
    },
  };
}

/** The events in a stream of server-sent events. @param alive called with all that comes */
async function* eventsIn({ body }: Response, alive: () => void): AsyncGenerator<ServerEvent, void, void> {
  if (body === null) return;
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) {
    alive();
    text += decoder.decode(chunk, { stream: true });
    const messages = text.split("\n\n");
    text = messages.pop() ?? "";
    for (const message of messages) {
      const data = message
        .split("\n")
        .filter((line) => line.startsWith("data: "))
        .map((line) => line.slice(6));
      if (data.length > 0) yield JSON.parse(data.join("\n")) as ServerEvent;
    }
  }
}

/** Resolves after so many ms, or once the signal aborts. */
function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
    if (isAborted(signal)) end();
  });
}
