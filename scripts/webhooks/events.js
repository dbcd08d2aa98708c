// Listens to `GET /events` of the relay through all its deaths, and compares what it hears with what the receiver of webhooks took:
// a webhook that tells of an event has that event's id.
import { createServerClient } from "../../dist/server/index.js";

/**
 * @typedef {{ id: string, type: "join" | "leave", userId: string, timestamp: number }} Told
 * @typedef {{ id: string, type: string, data: { userId: string } }} Taken
 */

/** An id names the life of the relay that it is of, and its number there. @param {string} id */
function partsOf(id) {
  const at = id.lastIndexOf("-");
  return { life: id.slice(0, at), number: Number(id.slice(at + 1)) };
}

/** One life of the relay, as it was heard. */
class Life {
  /** Joins and leaves, in order. @type {Told[]} */
  told = [];
  /** Up to which number something was missed that a snapshot stood for: of these nothing is known. @type {[number, number][]} */
  missed = [];
  #last = -1;

  /** @param {string} id */
  reset(id) {
    const { number } = partsOf(id);
    this.missed.push([this.#last + 1, number]);
    this.#last = number;
  }

  /** @param {string} id */
  heard(id) {
    this.#last = partsOf(id).number;
  }

  /** @param {number} number */
  isMissed(number) {
    return this.missed.some(([from, to]) => number >= from && number <= to);
  }
}

export class EventListener {
  /** By the relay's name in them. @type {Map<string, Life>} */
  lives = new Map();
  count = 0;
  resets = 0;
  #server;
  #abort = new AbortController();
  #listening = Promise.resolve();

  /** @param {string} url @param {string} key */
  constructor(url, key) {
    this.#server = createServerClient({ url, key });
  }

  /** Listens to a relay that has just been started: the client would wait longer the longer the relay was away. */
  async start() {
    await this.stop();
    this.#abort = new AbortController();
    this.#listening = this.#listen(this.#abort.signal);
  }

  stop() {
    this.#abort.abort();
    return this.#listening;
  }

  /** @param {AbortSignal} signal */
  async #listen(signal) {
    for await (const event of this.#server.events({ room: "@lobby", signal })) {
      const { life: name } = partsOf(event.id);
      const life = this.lives.get(name) ?? new Life();
      this.lives.set(name, life);
      if (event.type === "reset") {
        this.resets++;
        life.reset(event.id);
        continue;
      }
      life.heard(event.id);
      if (event.type === "update") continue;
      this.count++;
      const { id, type, userId, timestamp } = event;
      life.told.push({ id, type, userId, timestamp });
    }
  }
}

/**
 * What differs between the two. In the last moment before a kill either may lack what the other had; and of one who was online
 * before a kill and is back after it, webhooks tell nothing [HOOK-8].
 *
 * @param {EventListener} listener
 * @param {readonly Taken[]} taken by the receiver, each once, in the order in which they came
 * @param {readonly { from: number, to: number }[]} darkness from when to when the relay may have said what nobody heard, ms since the epoch
 */
export function differences(listener, taken, darkness) {
  /** @type {string[]} */
  const problems = [];
  const stories = byUser(taken);
  /** @param {number} at */
  const isDark = (at) => darkness.some(({ from, to }) => at >= from && at <= to);
  if (listener.count === 0 && taken.length > 0) problems.push("nothing was heard on /events");
  const heard = new Map([...listener.lives.values()].flatMap(({ told }) => told.map((each) => [each.id, each])));
  for (const { id, type, data } of taken) {
    const { life: name, number } = partsOf(id);
    const life = listener.lives.get(name);
    // it tells of no event, but of who did not come back
    if (life === undefined || life.isMissed(number)) continue;
    const event = heard.get(id);
    const [last] = life.told.slice(-1);
    // the listener's connection died with the relay
    if (event === undefined && (last === undefined || number > partsOf(last.id).number)) continue;
    const expected = type === "user.online" ? "join" : "leave";
    if (event?.type !== expected || event.userId !== data.userId) {
      problems.push(`${data.userId}: ${type} ${id} was ${event === undefined ? "not on /events" : event.type}`);
    }
  }
  for (const { told } of listener.lives.values()) {
    /** @type {Map<string, Told[]>} */
    const events = new Map();
    for (const each of told) events.set(each.userId, [...(events.get(each.userId) ?? []), each]);
    for (const [userId, own] of events) {
      const story = stories.get(userId) ?? [];
      const ids = story.map(({ id }) => id);
      const places = own.map(({ id }) => ids.indexOf(id));
      const known = places.filter((place) => place >= 0);
      if (known.some((place, i) => i > 0 && place < (known[i - 1] ?? 0))) problems.push(`${userId}: another order`);
      own.forEach(({ id, type, timestamp }, i) => {
        // one who is back after a kill was never said to have left
        const isReturn = i === 0 && type === "join";
        if (places[i] === -1 && !isReturn && !isDark(timestamp))
          problems.push(`${userId}: no webhook of ${type} ${id}`);
      });
    }
  }
  return problems;
}

/** @param {readonly Taken[]} taken */
function byUser(taken) {
  /** @type {Map<string, Taken[]>} */
  const stories = new Map();
  for (const each of taken) {
    const story = stories.get(each.data.userId);
    if (story === undefined) stories.set(each.data.userId, [each]);
    else story.push(each);
  }
  return stories;
}
