/**
 * The choices of status of users who are not here, or whose sessions have not heard of them: a choice that was made on one
 * device holds when its user comes back on another. [PEOPLE-5]
 */
import { type ManualChoice, newerManual } from "../presence/index.ts";

export class RememberedChoices {
  readonly #max: number;
  /** By user id, the one that was made known first comes first. */
  readonly #choices = new Map<string, ManualChoice>();

  /** @param max of how many users at most: of more, the choices that were made known first are forgotten */
  constructor(max: number) {
    this.#max = max;
  }

  get(userId: string): ManualChoice | null {
    return this.#choices.get(userId) ?? null;
  }

  /** Keeps the newer of a choice and of what is known already. */
  set(userId: string, choice: ManualChoice): void {
    const newest = newerManual(this.get(userId), choice) ?? choice;
    this.#choices.delete(userId);
    this.#choices.set(userId, newest);
    if (this.#choices.size <= this.#max) return;
    for (const first of this.#choices.keys()) return void this.#choices.delete(first);
  }

  delete(userId: string): void {
    this.#choices.delete(userId);
  }
}
