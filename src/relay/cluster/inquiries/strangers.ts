/**
 * Asks other relays for the choices of status of users whom this relay does not know. A user who chose on another relay to be invisible
 * must not be seen here until this relay has heard of it. [BUS-40]
 */
import type { Gathered } from "./inquiries.ts";
import type { UserChoice } from "./words.ts";

/** Once other relays can be asked, no user is withheld for longer than this, ms. */
const PATIENCE_MS = 250;
/** Users who come within this time are asked about together, ms: after another relay is lost thousands may come. */
const GATHER_MS = 2;
/** How many users one question is about at most. */
const MAX_USERS = 500;

export interface StrangersHost {
  /** No other relay can be asked: there is none, or the bus is lost. */
  readonly isAlone: boolean;
  /** All that other relays say of the lobby is known. */
  readonly isKnown: boolean;
  /** Calls back once this relay has heard of the relays that were there before it, or does not wait for them any more. */
  whenIntroduced(run: () => void): void;
  ask(users: readonly string[], patienceMs: number): Promise<Gathered>;
  /** The choices of these users are known, as far as other relays have told them in time. */
  reveal(users: readonly string[], choices: readonly UserChoice[]): void;
}

/** Users who were asked about. */
interface Group {
  readonly users: readonly string[];
  readonly choices: readonly UserChoice[];
}

export class Strangers {
  readonly #host: StrangersHost;
  /** Users who are asked about next. */
  #next: string[] = [];
  #gathering: ReturnType<typeof setTimeout> | undefined;
  /** Users about whom all relays have answered, while the shards of the lobby are still waited for; each with the timer that ends that wait. */
  readonly #answered = new Map<Group, ReturnType<typeof setTimeout>>();
  #isClosed = false;

  constructor(host: StrangersHost) {
    this.#host = host;
  }

  /** Asks what a user chose, and calls `reveal` later. Returns false, and does neither, where no relay can be asked. */
  ask(userId: string): boolean {
    if (this.#isClosed || this.#host.isAlone) return false;
    this.#next.push(userId);
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      const users = this.#next;
      this.#next = [];
      for (let from = 0; from < users.length; from += MAX_USERS) {
        const some = users.slice(from, from + MAX_USERS);
        this.#host.whenIntroduced(() => void this.#ask(some));
      }
    }, GATHER_MS);
    return true;
  }

  /** More is known of what other relays have of the lobby. */
  check(): void {
    if (this.#answered.size === 0 || !this.#host.isKnown) return;
    for (const group of this.#answered.keys()) this.#reveal(group);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#gathering);
    for (const timer of this.#answered.values()) clearTimeout(timer);
    this.#answered.clear();
  }

  async #ask(users: readonly string[]): Promise<void> {
    if (this.#isClosed) return;
    const { answers, areAll } = await this.#host.ask(users, PATIENCE_MS);
    if (this.#isClosed) return;
    const group = { users, choices: answers.flatMap(({ choices }) => choices) };
    if (!areAll || this.#host.isKnown) return this.#host.reveal(group.users, group.choices);
    // the choices of sessions that are there now come with the shards
    this.#answered.set(
      group,
      setTimeout(() => this.#reveal(group), PATIENCE_MS),
    );
  }

  #reveal(group: Group): void {
    clearTimeout(this.#answered.get(group));
    this.#answered.delete(group);
    this.#host.reveal(group.users, group.choices);
  }
}
