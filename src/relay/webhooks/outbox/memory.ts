/** An outbox that lasts as long as the process. */
import type { KeptMessage, Outbox, OutboxChange } from "../../ports/stores/outbox.ts";

export class MemoryOutbox implements Outbox {
  readonly isDurable: boolean = false;
  /** Of each receiver, its messages by number, in order. */
  readonly #queues = new Map<string, Map<number, string>>();
  readonly #notes = new Map<string, string>();

  write(changes: readonly OutboxChange[]): Promise<void> {
    for (const change of changes) this.#make(change);
    return Promise.resolve();
  }

  messages(receiver: string, after: number, limit: number): Promise<readonly KeptMessage[]> {
    const found: KeptMessage[] = [];
    // those that are left from before are few: a queue is read from its beginning, and only so far ahead
    for (const [number, text] of this.#queues.get(receiver) ?? []) {
      if (found.length === limit) break;
      if (number > after) found.push({ number, text });
    }
    return Promise.resolve(found);
  }

  receivers(): Promise<readonly string[]> {
    return Promise.resolve([...this.#queues.keys()]);
  }

  notes(): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(new Map(this.#notes));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #make(change: OutboxChange): void {
    switch (change.type) {
      case "queue": {
        const queue = this.#queues.get(change.receiver) ?? new Map<number, string>();
        this.#queues.set(change.receiver, queue.set(change.number, change.text));
        return;
      }
      case "remove": {
        const queue = this.#queues.get(change.receiver);
        if (queue?.delete(change.number) === true && queue.size === 0) this.#queues.delete(change.receiver);
        return;
      }
      case "note":
        if (change.text === null) this.#notes.delete(change.name);
        else this.#notes.set(change.name, change.text);
        return;
    }
  }
}
