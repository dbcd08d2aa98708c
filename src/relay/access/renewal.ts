/**
 * Newer tokens of an open connection, looked at one after the other: of those that come meanwhile, the last counts.
 */
import type { RoomAccess } from "../ports/access.ts";
import type { Denial } from "./grants.ts";

/** Never fails. */
export type Renew = (token: string) => Promise<RoomAccess | Denial>;

export class Renewal<Renewed = RoomAccess | Denial> {
  readonly #renew: (token: string) => Promise<Renewed>;
  readonly #done: (renewed: Renewed) => void;
  #isBusy = false;
  #next: string | null = null;

  /** @param renew never fails */
  constructor(renew: (token: string) => Promise<Renewed>, done: (renewed: Renewed) => void) {
    this.#renew = renew;
    this.#done = done;
  }

  take(token: string): void {
    this.#next = token;
    if (!this.#isBusy) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isBusy = true;
    while (this.#next !== null) {
      const token = this.#next;
      this.#next = null;
      this.#done(await this.#renew(token));
    }
    this.#isBusy = false;
  }
}
