/**
 * The parts that an application hands in: stores, buses, functions. One that is none would fail later, in each room and far from
 * where it was given, so it is refused at once. [RUN-8]
 */
import { isRecord } from "../presence/index.ts";

/** What a part has to have, and what opens one. */
interface PartSpec {
  readonly needs: readonly string[];
  readonly openedBy: string | null;
}

const PARTS: Readonly<Record<string, PartSpec>> = {
  store: { needs: ["load", "append", "compact"], openedBy: 'openStore("file:./data")' },
  bus: { needs: ["publish", "subscribe"], openedBy: 'openBus("redis://localhost:6379", onError)' },
  outbox: { needs: ["write", "messages", "receivers", "notes", "close"], openedBy: 'openOutbox("file:./data")' },
  sharedOutbox: {
    needs: ["claim", "release", "askAll", "tell", "told", "forget", "outboxOf", "close"],
    openedBy: 'openSharedOutbox("redis://localhost:6379")',
  },
  log: { needs: ["info", "warn", "error"], openedBy: null },
};
/** What a store may have besides. */
const PEOPLE: PartSpec = { needs: ["load", "save", "forget"], openedBy: null };
const FUNCTIONS = ["authenticate", "onError"] as const;

/** Throws a `RangeError` that names a part which cannot be used, and says what to give. What is null or undefined is no part. */
export function checkParts(given: Readonly<Record<string, unknown>>): void {
  for (const [name, spec] of Object.entries(PARTS)) {
    const part = given[name];
    if (part !== undefined && part !== null) checkPart(name, part, spec);
  }
  for (const name of FUNCTIONS) {
    const part = given[name];
    if (part !== undefined && part !== null && typeof part !== "function") {
      throw new RangeError(`${name} must be a function`);
    }
  }
  const { people = null } = isRecord(given["store"]) ? given["store"] : {};
  if (people !== null) checkPart("store.people", people, PEOPLE);
  checkLobby(given["lobby"]);
}

/** The first of these functions that something has not; undefined: it has all of them. */
export function lackingFunction(part: unknown, names: readonly string[]): string | undefined {
  const has = typeof part === "object" && part !== null ? (part as Readonly<Record<string, unknown>>) : {};
  return names.find((name) => typeof has[name] !== "function");
}

function checkPart(name: string, part: unknown, { needs, openedBy }: PartSpec): void {
  const example = openedBy === null ? "" : `, for example what await ${openedBy} gives`;
  // [RUN-8] what opens one takes its time, and is easily not waited for
  if (part instanceof Promise) throw new RangeError(`${name} is a promise: await it first${example}`);
  const lacking = lackingFunction(part, needs);
  if (lacking !== undefined)
    throw new RangeError(`${name} has no function ${lacking}: give an object that has it${example}`);
}

/** The option `lobby` of `createRelay` says `rooms`, and nothing else. */
function checkLobby(lobby: unknown): void {
  if (lobby === undefined) return;
  if (!isRecord(lobby)) throw new RangeError("lobby must be an object, such as { rooms: false }");
  const unknown = Object.keys(lobby).find((name) => name !== "rooms");
  if (unknown !== undefined) throw new RangeError(`there is no option "lobby.${unknown}"; there is lobby.rooms`);
}
