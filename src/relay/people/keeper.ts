/**
 * Keeps what is known of people in a store: what changed, in groups, and at least every 10 s that the relay lives. Those who
 * do not come back after a crash were last seen then. [PEOPLE-2] [PEOPLE-4]
 */
import { keyOf } from "../../util/key.ts";
import type { Clock } from "../ports/clock.ts";
import type { PeopleStore, PersonRecord, StoredPerson } from "../ports/stores/people-store.ts";
import { isStoredPerson } from "../ports/stores/person.ts";
import { backOff, pause } from "../util/back-off.ts";

/** Changes are gathered for this time, and then saved together, ms. */
const SAVE_MS = 100;
/** How often it is saved that those who are here are alive, ms. [PEOPLE-2] */
const ALIVE_MS = 10_000;
/** How often the store drops those who were last seen too long ago, ms. */
const FORGET_MS = 60 * 60 * 1_000;
/** How many records are saved at a time. */
const MAX_BATCH = 1_000;

/** Who knows of people. */
export interface PeopleSource {
  /** Takes in what was stored of people by relays that were there before, or are there beside. */
  remember(people: readonly StoredPerson[]): void;
  /** What is to be stored of somebody; null: nothing is known of them any more. */
  recordOf(lobby: string, userId: string): PersonRecord | null;
}

export interface PeopleKeeperSetup {
  readonly store: PeopleStore;
  /** The id of this relay, new with each start. */
  readonly relay: string;
  readonly clock: Clock;
  /** How long one who left is remembered, ms. */
  readonly recentTtl: number;
  /** Told of the first failure of several in a row. */
  readonly onError: (error: Error) => void;
}

interface Person {
  readonly lobby: string;
  readonly userId: string;
}

interface Change extends Person {
  readonly record: PersonRecord | null;
}

export class PeopleKeeper {
  /** Resolves once all that was stored has been taken in, or nobody wants it any more. It never rejects. */
  readonly loaded: Promise<void>;
  readonly #source: PeopleSource;
  readonly #setup: PeopleKeeperSetup;
  readonly #loading = new AbortController();
  /** Whose records are to be saved, by lobby and id. */
  #changed = new Map<string, Person>();
  /** The same of those whose records are being saved. */
  #saving = new Map<string, Person>();
  /** Who was saved as here. */
  readonly #here = new Set<string>();
  #running: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #forgetting: ReturnType<typeof setInterval>;
  #failures = 0;
  #isLoadFailing = false;

  constructor(source: PeopleSource, setup: PeopleKeeperSetup) {
    this.#source = source;
    this.#setup = setup;
    this.loaded = this.#load(this.#loading.signal);
    this.#forgetting = setInterval(() => void this.#forget(), FORGET_MS);
    this.#forgetting.unref();
  }

  /** The store took or gave nothing when it was last asked. */
  get isFailing(): boolean {
    return this.#failures > 0 || this.#isLoadFailing;
  }

  /** What is known of somebody has changed. */
  changed(lobby: string, userId: string): void {
    if (this.#loading.signal.aborted) return;
    this.#changed.set(keyOf(lobby, userId), { lobby, userId });
    if (this.#failures === 0) this.#schedule(SAVE_MS);
  }

  /** Saves what has yet to be saved, as it is when this is called, and nothing after that. */
  async close(): Promise<void> {
    this.#loading.abort();
    clearInterval(this.#forgetting);
    clearTimeout(this.#timer);
    const last = this.#describe(new Map([...this.#saving, ...this.#changed]).values());
    const isAnybodyHere = this.#here.size > 0;
    this.#changed.clear();
    await this.#running;
    clearTimeout(this.#timer);
    try {
      if (last.length > 0 || isAnybodyHere) await this.#save(last);
    } catch (error) {
      this.#report("what is known of people could not be stored", error);
    }
  }

  #schedule(ms: number): void {
    if (this.#running !== null || this.#loading.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#running = this.#run().finally(() => {
        this.#running = null;
        if (this.#failures > 0) this.#schedule(backOff(this.#failures - 1));
        else if (this.#changed.size > 0) this.#schedule(SAVE_MS);
        else if (this.#here.size > 0) this.#schedule(ALIVE_MS);
      });
    }, ms);
  }

  async #run(): Promise<void> {
    this.#saving = new Map([...this.#changed].slice(0, MAX_BATCH));
    for (const key of this.#saving.keys()) this.#changed.delete(key);
    try {
      await this.#save(this.#describe(this.#saving.values()));
      this.#failures = 0;
    } catch (error) {
      if (this.#failures++ === 0) this.#report("what is known of people cannot be stored", error);
      this.#changed = new Map([...this.#saving, ...this.#changed]);
    }
    this.#saving.clear();
  }

  #describe(people: Iterable<Person>): Change[] {
    return [...people].map(({ lobby, userId }) => ({ lobby, userId, record: this.#source.recordOf(lobby, userId) }));
  }

  async #save(changes: readonly Change[]): Promise<void> {
    const { store, relay, clock } = this.#setup;
    const changed = changes.flatMap(({ record }) => record ?? []);
    const forgotten = changes.filter(({ record }) => record === null).map(({ lobby, userId }) => ({ lobby, userId }));
    await store.save({ relay, at: clock.wall(), changed, forgotten });
    for (const change of changes) {
      if (change.record?.lastSeen === null) this.#here.add(keyOf(change.lobby, change.userId));
      else this.#here.delete(keyOf(change.lobby, change.userId));
    }
  }

  /** Tries until all is read, or nobody wants it any more. [PEOPLE-1] */
  async #load(signal: AbortSignal): Promise<void> {
    const { store, clock, recentTtl } = this.#setup;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        let odd = 0;
        for await (const people of store.load(clock.wall() - recentTtl, signal)) {
          const given: readonly unknown[] = Array.isArray(people) ? people : [null];
          const sound = given.filter(isStoredPerson);
          odd += given.length - sound.length;
          if (!signal.aborted) this.#source.remember(sound);
        }
        this.#isLoadFailing = false;
        if (odd > 0)
          this.#report(`${odd} of what the store gave are no records of people, and are left out`, undefined);
        this.#reportDamaged(store.damaged ?? new Set());
        return void this.#forget();
      } catch (error) {
        if (signal.aborted) return;
        this.#isLoadFailing = true;
        if (failures === 0) this.#report("what is known of people cannot be loaded", error);
        await pause(backOff(failures), signal);
      }
    }
  }

  async #forget(): Promise<void> {
    const { store, clock, recentTtl } = this.#setup;
    try {
      // one at a time: nobody is to be dropped while they are written anew
      await this.#running;
      if (!this.#loading.signal.aborted) await store.forget(clock.wall() - recentTtl);
    } catch (error) {
      // a store that was closed meanwhile deletes them after the next start [PEOPLE-10]
      if (this.#loading.signal.aborted) return;
      this.#report("records of people who left long ago cannot be deleted from the store", error);
    }
  }

  /** [PEOPLE-9] */
  #reportDamaged(damaged: ReadonlySet<string>): void {
    const [first] = damaged;
    if (first === undefined) return;
    const others = damaged.size === 1 ? "" : ` and ${damaged.size - 1} more`;
    this.#report(`records of people are damaged, and are left out: ${first}${others}`, undefined);
  }

  #report(message: string, cause: unknown): void {
    this.#setup.onError(new Error(message, { cause }));
  }
}
