/**
 * Asks other relays what users of a lobby chose of whom this relay knows nothing: who is invisible there is not to be seen here
 * for the time that it takes to hear of that. [BUS-40]
 */
import type { Gathered } from "./inquiries.ts";
import type { UserChoice } from "./words.ts";

/** Nobody is withheld for longer than this, once others can be asked, ms. */
const PATIENCE_MS = 250;
/** Those who come within this time are asked about together, ms: after another relay is lost thousands may come. */
const GATHER_MS = 2;
/** How many users one question is about at most. */
const MAX_USERS = 500;

export interface StrangersHost {
  /** No other relay can be asked: there is none, or the bus is lost. */
  readonly isAlone: boolean;
  /** All that other relays say of the lobby is known. */
  readonly isKnown: boolean;
  /** Calls back once this relay has heard of those who were there before it, or does not wait for them any more. */
  whenIntroduced(run: () => void): void;
  ask(users: readonly string[], patienceMs: number): Promise<Gathered>;
  /** What other relays have said of these is known, or is not waited for any more. */
  reveal(users: readonly string[], choices: readonly UserChoice[]): void;
}

/** Users who were asked about. */
interface Group {
  readonly users: readonly string[];
  readonly choices: readonly UserChoice[];
}

export class Strangers {
  readonly #host: StrangersHost;
  /** Those who are asked about next. */
  #next: string[] = [];
  #gathering: ReturnType<typeof setTimeout> | undefined;
  /** Those about whom all has been answered, while the lobby as others have it is not known yet, each with the end of that. */
  readonly #answered = new Map<Group, ReturnType<typeof setTimeout>>();
  #isClosed = false;

  constructor(host: StrangersHost) {
    this.#host = host;
  }

  /** Asks what a user chose, if there is anybody to ask: then `reveal` follows. Returns whether it is so. */
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

  /** More is known of the lobby as others have it. */
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
    // what holds for as long as their sessions are there comes with the lobby itself
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
