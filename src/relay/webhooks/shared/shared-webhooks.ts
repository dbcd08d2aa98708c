/**
 * Webhooks of a relay on a bus. One relay at a time sends them, for all; which one that is, all of them see in the shared outbox.
 * [HOOK-20]
 */
import { randomBytes } from "node:crypto";
import type { EventSink, IdentifiedEvent } from "../../ports/event-sink.ts";
import type { SharedOutbox } from "../../ports/stores/shared-outbox.ts";
import type { ReceiverCounts } from "../receiver.ts";
import type { WebhookPorts, WebhookSettings } from "../webhooks.ts";
import { Reporter } from "./reporter.ts";
import { Sender } from "./sender.ts";

/** How often a relay says that it would send, or does, ms; and how long it stays the sender without saying so. */
const CLAIM_MS = 1_000;
const TERM_MS = 5_000;
/** Where nobody has been the sender for so long, ms, another relay may be: since the sender is not heard, or in any case. */
const VACANT_MS = 5_000;
const LONG_VACANT_MS = 20_000;
/** A relay is gone when it is not heard for so long beyond the time that its people have, ms. */
const MARGIN_MS = 2_000;

export interface SharedWebhookPorts extends Omit<WebhookPorts, "outbox"> {
  readonly shared: SharedOutbox;
  /** This relay's id. */
  readonly relay: string;
  /** The relays that are heard, this one too; null: it cannot be told now who is there. */
  readonly relays: () => ReadonlySet<string> | null;
  /** How long people may take to come back whose relay is gone, ms. */
  readonly moveGraceMs: number;
}

export class SharedWebhooks implements EventSink {
  readonly #settings: WebhookSettings;
  readonly #ports: SharedWebhookPorts;
  readonly #reporter: Reporter;
  #sender: Sender | null = null;
  /** The relay that sent last, as far as this one knows. */
  #lastSender: string | null = null;
  /** For which term and epoch all was told. */
  #toldFor: string | null = null;
  #vacantSince: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #claiming: Promise<void> = Promise.resolve();
  #hasFailed = false;
  #isClosed = false;
  /** Nothing is waited for: what relays tell waits for a sender. */
  readonly ready: Promise<void> = Promise.resolve();

  constructor(settings: WebhookSettings, ports: SharedWebhookPorts) {
    this.#settings = settings;
    this.#ports = ports;
    this.#reporter = new Reporter({ ...ports, tellsUpdates: settings.types.includes("user.updated") });
    this.#claimAndSoOn();
  }

  /** By receiver, while this relay is the one that sends. */
  get counts(): readonly ReceiverCounts[] {
    return this.#sender?.webhooks.counts ?? [];
  }

  deliver(batch: readonly IdentifiedEvent[]): Promise<void> {
    return this.#reporter.deliver(batch);
  }

  changed(room: string): void {
    if (this.#settings.types.includes("document.changed")) this.#reporter.edited(room);
  }

  /** A room or lobby is not open here any more. */
  closedRoom(room: string): void {
    if (!this.#isClosed) this.#reporter.closed(room);
  }

  /** Events come no more. What was told waits for the next sender. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#reporter.close();
    await this.#claiming;
    const sender = this.#sender;
    await this.#stopSending();
    if (sender !== null) await this.#ports.shared.release(sender.term).catch(() => {});
    await this.#ports.shared.close();
  }

  #claimAndSoOn(): void {
    this.#claiming = this.#claim().finally(() => {
      if (!this.#isClosed) this.#timer = setTimeout(() => this.#claimAndSoOn(), CLAIM_MS);
    });
  }

  async #claim(): Promise<void> {
    const { shared, clock, relay } = this.#ports;
    const term = this.#sender?.term ?? `${relay}/${randomBytes(6).toString("base64url")}`;
    const askedAt = clock.now();
    try {
      const claim = await shared.claim(term, TERM_MS, this.#mayBegin());
      this.#hasFailed = false;
      if (claim.term === term) {
        await this.#send(term, claim.isNew);
      } else await this.#stopSending();
      this.#vacantSince = claim.term === null ? (this.#vacantSince ?? askedAt) : null;
      this.#lastSender = claim.term?.split("/", 1)[0] ?? this.#lastSender;
      await this.#tellAllFor(`${claim.term ?? ""} ${claim.epoch}`);
    } catch (error) {
      if (!this.#hasFailed && !this.#isClosed) this.#ports.onError(error);
      // [HOOK-23] a sender goes on: what it sends although another one does has the ids that it has there, too
      this.#hasFailed = true;
    }
  }

  /** A sender that lives takes its place again when the outbox was lost: nobody else knows what receivers were told. */
  #mayBegin(): boolean {
    const { relays, relay, clock } = this.#ports;
    if (this.#isClosed) return false;
    if (this.#sender !== null || this.#lastSender === null || this.#lastSender === relay) return true;
    if (this.#vacantSince === null) return false;
    const isHeard = relays()?.has(this.#lastSender) !== false;
    return clock.now() - this.#vacantSince > (isHeard ? LONG_VACANT_MS : VACANT_MS);
  }

  async #send(term: string, isNew: boolean): Promise<void> {
    if (this.#sender?.isBroken === true) await this.#stopSending();
    if (this.#sender !== null) {
      if (!isNew) return;
      // [HOOK-23] the outbox was lost, and what was told to it, too
      await this.#sender.keepAgain();
      return this.#ports.shared.askAll();
    }
    const onError = (error: unknown): void => {
      // once its term is over nothing is amiss
      if (this.#sender?.term === term) this.#ports.onError(error);
    };
    const goneMs = this.#ports.moveGraceMs + MARGIN_MS;
    this.#sender = new Sender({ ...this.#ports, settings: this.#settings, term, goneMs, onError });
  }

  async #stopSending(): Promise<void> {
    const sender = this.#sender;
    this.#sender = null;
    await sender?.close();
  }

  /** Tells all who are here, once for each sender. */
  async #tellAllFor(sender: string): Promise<void> {
    if (sender === this.#toldFor) return;
    await this.#reporter.tellAll();
    this.#toldFor = sender;
  }
}
