/**
 * What relays share of their webhooks, in Redis or Valkey: as durable as Redis itself is set to be. All keys have one hash tag, so
 * that a Redis Cluster keeps them on one node.
 *
 * Keys behind the prefix: `{w}:term` who sends, with a time to live; `{w}:epoch` a counter; `{w}:told` a stream; `{w}:notes` a
 * hash; `{w}:receivers` a set; `{w}:queue:<receiver>` a sorted set of `<number>:<text>`.
 */
import { type RedisClientType, createClient } from "@redis/client";
import type { Outbox, OutboxChange } from "../../ports/stores/outbox.ts";
import type { Claim, SharedOutbox, ToldReport } from "../../ports/stores/shared-outbox.ts";

const CONNECT_MS = 2_000;
const RETRY_MS = 100;
const MAX_RETRY_MS = 2_000;
/** Redis takes no longer than this to answer, ms. */
const ANSWER_MS = 5_000;
/** Nobody takes what is told, while there is no sender: more than so many reports do not wait. */
const MAX_TOLD = 200_000;

/**
 * KEYS: term, epoch. ARGV: own term, ms, whether to begin. Returns the current term, the epoch, and whether it is new. An empty
 * term is one that was ended in order: any relay may begin.
 */
const CLAIM = `
local term = redis.call('GET', KEYS[1])
local epoch = redis.call('GET', KEYS[2]) or ''
if term == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) return { term, epoch, '' } end
if term and term ~= '' then return { term, epoch, '' } end
if not term and ARGV[3] ~= '1' then return { '', epoch, '' } end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return { ARGV[1], epoch, '1' }`;

/** KEYS: term. ARGV: own term. */
const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], '') end return 0`;

/** KEYS: term, notes, receivers, prefix of queues. ARGV: own term, and four for each change. All changes are made, or none. */
const WRITE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for i = 2, #ARGV, 4 do
  local type, name, number, text = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  if type == 'queue' then
    redis.call('ZADD', KEYS[4] .. name, number, number .. ':' .. text)
    redis.call('SADD', KEYS[3], name)
  elseif type == 'remove' then redis.call('ZREMRANGEBYSCORE', KEYS[4] .. name, number, number)
  elseif type == 'note' then redis.call('HSET', KEYS[2], name, text)
  else redis.call('HDEL', KEYS[2], name) end
end
return 1`;

/** Changes that are made in one call at most: Redis does nothing else meanwhile. */
const MAX_CHANGES = 1_000;

type Client = RedisClientType;

export class RedisSharedOutbox implements SharedOutbox {
  readonly #client: Client;
  /** One that waits for reports, and can do nothing else meanwhile. */
  readonly #waiting: Client;
  readonly #keys: Readonly<Record<"term" | "epoch" | "told" | "notes" | "receivers" | "queue", string>>;

  /**
   * Connects, and keeps connecting when the connection is lost.
   *
   * @param url `redis://` or `rediss://`, with the user and the password if there are any
   * @param prefix what its keys begin with, such as `cp1:`
   */
  constructor(url: string, prefix: string) {
    const name = (part: string): string => `${prefix}{w}:${part}`;
    this.#keys = {
      term: name("term"),
      epoch: name("epoch"),
      told: name("told"),
      notes: name("notes"),
      receivers: name("receivers"),
      queue: name("queue:"),
    };
    this.#client = this.#connected(url);
    this.#waiting = this.#connected(url);
  }

  async claim(term: string, forMs: number, mayBegin: boolean): Promise<Claim> {
    const { term: key, epoch: epochKey } = this.#keys;
    const reply = await this.#run(CLAIM, [key, epochKey], [term, `${forMs}`, mayBegin ? "1" : "0"]);
    const [current = "", epoch = "", isNew = ""] = reply as readonly string[];
    return { term: current === "" ? null : current, epoch, isNew: isNew === "1" };
  }

  async release(term: string): Promise<void> {
    await this.#run(RELEASE, [this.#keys.term], [term]);
  }

  async askAll(): Promise<void> {
    await this.#client.incr(this.#keys.epoch);
  }

  async tell(texts: readonly string[]): Promise<void> {
    if (texts.length === 0) return;
    const transaction = this.#client.multi();
    const trim = { TRIM: { strategy: "MAXLEN", strategyModifier: "~", threshold: MAX_TOLD } } as const;
    for (const text of texts) transaction.xAdd(this.#keys.told, "*", { text }, trim);
    await transaction.exec();
  }

  async told(limit: number, waitMs: number): Promise<readonly ToldReport[]> {
    const from = { key: this.#keys.told, id: "0-0" };
    const reply = (await this.#waiting.xRead(from, { COUNT: limit, BLOCK: waitMs })) as
      | readonly {
          readonly messages: readonly { readonly id: string; readonly message: { readonly text?: string } }[];
        }[]
      | null;
    return (reply?.[0]?.messages ?? []).map(({ id, message }) => ({ id, text: message.text ?? "" }));
  }

  async forget(ids: readonly string[]): Promise<void> {
    await this.#client.xDel(this.#keys.told, [...ids]);
  }

  outboxOf(term: string): Outbox {
    return {
      isDurable: true,
      write: (changes) => this.#write(term, changes),
      messages: async (receiver, after, limit) => {
        const key = `${this.#keys.queue}${receiver}`;
        const range = { BY: "SCORE", LIMIT: { offset: 0, count: limit } } as const;
        return (await this.#client.zRange(key, `(${after}`, "+inf", range)).map(readKept);
      },
      receivers: async () => {
        const all = await this.#client.sMembers(this.#keys.receivers);
        const sizes = await Promise.all(all.map((receiver) => this.#client.zCard(`${this.#keys.queue}${receiver}`)));
        return all.filter((_, i) => (sizes[i] ?? 0) > 0);
      },
      notes: async () => new Map(Object.entries(await this.#client.hGetAll(this.#keys.notes))),
      // others go on using it
      close: () => Promise.resolve(),
    };
  }

  async close(): Promise<void> {
    for (const client of [this.#client, this.#waiting]) destroy(client);
    await Promise.resolve();
  }

  async #write(term: string, changes: readonly OutboxChange[]): Promise<void> {
    const { term: key, notes, receivers, queue } = this.#keys;
    for (let from = 0; from < changes.length; from += MAX_CHANGES) {
      const values = changes.slice(from, from + MAX_CHANGES).flatMap(valuesOf);
      if ((await this.#run(WRITE, [key, notes, receivers, queue], [term, ...values])) !== 1)
        throw new Error("another relay sends webhooks now");
    }
  }

  #run(script: string, keys: string[], values: string[]): Promise<unknown> {
    return this.#client.eval(script, { keys, arguments: values });
  }

  #connected(url: string): Client {
    const client = createClient({
      url,
      disableOfflineQueue: true,
      commandOptions: { timeout: ANSWER_MS },
      socket: {
        connectTimeout: CONNECT_MS,
        reconnectStrategy: (retries) =>
          Math.random() * RETRY_MS + Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** Math.min(retries, 10)),
      },
    }) as unknown as Client;
    // who uses it is told by each call that fails
    client.on("error", () => {});
    client.connect().catch(() => {});
    return client;
  }
}

function valuesOf(change: OutboxChange): readonly [type: string, name: string, number: string, text: string] {
  switch (change.type) {
    case "queue":
      return ["queue", change.receiver, `${change.number}`, change.text];
    case "remove":
      return ["remove", change.receiver, `${change.number}`, ""];
    case "note":
      return change.text === null ? ["no note", change.name, "", ""] : ["note", change.name, "", change.text];
  }
}

function readKept(member: string): { readonly number: number; readonly text: string } {
  const end = member.indexOf(":");
  return { number: Number(member.slice(0, end)), text: member.slice(end + 1) };
}

function destroy(client: Client): void {
  try {
    client.destroy();
  } catch {
    // it is closed already
  }
}
