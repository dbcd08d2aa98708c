/**
 * The relay that sends webhooks for all relays on a bus, for as long as it does: it makes one story of what they tell, and sends
 * that as a relay that is alone does. It starts where the sender before it stopped, as a relay does that is started anew. [HOOK-20]
 */
import type { IdentifiedEvent } from "../../ports/event-sink.ts";
import type { SharedOutbox } from "../../ports/stores/shared-outbox.ts";
import { snapshotOf } from "../message.ts";
import { type WebhookPorts, type WebhookSettings, Webhooks } from "../webhooks.ts";
import { Merger } from "./merger.ts";
import { readReport } from "./report.ts";

const MAX_REPORTS = 500;
/** How long to wait for a report before it is looked whose end is due, ms. */
const WAIT_MS = 500;
/** How long to wait when something failed, ms. */
const RETRY_MS = 500;

export interface SenderSetup extends Omit<WebhookPorts, "outbox" | "sizeOf"> {
  readonly shared: SharedOutbox;
  readonly term: string;
  readonly settings: WebhookSettings;
  /** The relays that are heard, this one too; null: it cannot be told now who is there. */
  readonly relays: () => ReadonlySet<string> | null;
  /** A relay that is not heard for so long is gone, ms: its people had their grace. */
  readonly goneMs: number;
}

export class Sender {
  readonly webhooks: Webhooks;
  readonly term: string;
  readonly #setup: SenderSetup;
  readonly #merger = new Merger();
  /** Relays that tell of people and are not heard, and since when, monotonic ms. */
  readonly #unheard = new Map<string, number>();
  /** Relays that were taken for gone. */
  readonly #dropped = new Set<string>();
  /** How large documents were when that was last told. */
  readonly #sizes = new Map<string, number | null>();
  #isClosed = false;
  /** It could not begin, and never will. */
  isBroken = false;
  /** What failed last was told, and has not succeeded since. */
  #hasFailed = false;
  readonly #done: Promise<void>;

  constructor(setup: SenderSetup) {
    this.#setup = setup;
    this.term = setup.term;
    const sizeOf = (room: string): number | undefined => {
      const size = this.#sizes.get(room) ?? undefined;
      this.#sizes.delete(room);
      return size;
    };
    this.webhooks = new Webhooks(setup.settings, { ...setup, sizeOf, outbox: setup.shared.outboxOf(setup.term) });
    this.webhooks.ready.catch(() => {
      this.isBroken = true;
    });
    this.#done = this.#run();
  }

  /** Writes down again who is here: the outbox has lost it. */
  async keepAgain(): Promise<void> {
    const visits = [...this.#merger.here()].map(([visit, { user }]) => [visit, snapshotOf(user)] as const);
    await this.webhooks.keepAgain(visits);
  }

  /** Sends no more. What waits is for the next sender. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.webhooks.close();
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#isClosed && !this.isBroken) {
      try {
        await this.webhooks.ready;
        await this.#turn();
        this.#hasFailed = false;
      } catch (error) {
        if (this.#isClosed) return;
        this.#fail(error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  async #turn(): Promise<void> {
    const { shared, clock } = this.#setup;
    const told = await shared.told(MAX_REPORTS, WAIT_MS);
    if (this.#isClosed) return;
    const events = told.flatMap(({ text }) => this.#take(text));
    this.#judge(clock.now());
    events.push(...this.#merger.ended(clock.now(), clock.wall()));
    await this.#deliver(events);
    if (told.length > 0 && !this.#isClosed) await shared.forget(told.map(({ id }) => id));
  }

  /** Until it is in the outbox: what was told may be forgotten only then. */
  async #deliver(events: readonly IdentifiedEvent[]): Promise<void> {
    while (events.length > 0 && !this.#isClosed) {
      try {
        return await this.webhooks.deliver(events);
      } catch (error) {
        if (this.#isClosed) return;
        this.#fail(error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  #fail(error: unknown): void {
    if (!this.#hasFailed) this.#setup.onError(error);
    this.#hasFailed = true;
  }

  #take(text: string): readonly IdentifiedEvent[] {
    try {
      const report = readReport(text);
      if (report === null) return [];
      if (report.type === "edited") {
        this.#sizes.set(report.roomId, report.size);
        this.webhooks.changed(report.roomId);
      }
      return this.#merger.take(report, this.#setup.clock.now());
    } catch (error) {
      this.#setup.onError(new Error("what another relay tells for webhooks cannot be read", { cause: error }));
      return [];
    }
  }

  /** Forgets what relays told that are gone. One that is heard again tells everything anew. [HOOK-22] */
  #judge(now: number): void {
    const heard = this.#setup.relays();
    if (heard === null) return this.#unheard.clear();
    for (const relay of this.#merger.relays) {
      if (heard.has(relay)) this.#unheard.delete(relay);
      else if (!this.#unheard.has(relay)) this.#unheard.set(relay, now);
    }
    for (const [relay, since] of this.#unheard) {
      if (now - since < this.#setup.goneMs) continue;
      this.#unheard.delete(relay);
      this.#dropped.add(relay);
      this.#merger.drop(relay, now);
    }
    const returned = [...this.#dropped].filter((relay) => heard.has(relay));
    if (returned.length === 0) return;
    for (const relay of returned) this.#dropped.delete(relay);
    this.#setup.shared.askAll().catch(this.#setup.onError);
  }
}
