/**
 * Webhooks: events of presence and changed documents, as signed messages to receivers of the application.
 *
 * Everything goes through the outbox first: an event is written down together with what receivers were told by it, in one
 * write. So what a receiver was told is known after the process has ended, however it ended, and what it has yet to be told
 * is sent then. [HOOK-6] [HOOK-7]
 */
import { randomBytes } from "node:crypto";
import type { Clock } from "../ports/clock.ts";
import type { EventSink, IdentifiedEvent } from "../ports/event-sink.ts";
import type { Outbox, OutboxChange } from "../ports/stores/outbox.ts";
import { signerOf } from "./attempt.ts";
import { Edits } from "./edits.ts";
import { type Message, type WebhookType, roomMessage } from "./message.ts";
import { Receiver, type ReceiverCounts, untoldNote } from "./receiver.ts";
import { type Told, type VisitNote, Visits } from "./visits.ts";

/** What can be set about webhooks. */
export interface WebhookSettings {
  /** Where webhooks go: each receiver gets all of them. */
  readonly urls: readonly string[];
  /** What they are signed with, `whsec_…`: by each, while receivers may know an older one. */
  readonly secrets: readonly string[];
  readonly types: readonly WebhookType[];
  /** How long a receiver may take to answer, ms. */
  readonly timeoutMs: number;
  /** How much text may wait for all receivers together, in characters. */
  readonly maxWaiting: number;
  /** Besides the grace, those who were online when the process ended have so long to come back, ms. [HOOK-7] */
  readonly returnMs: number;
}

export interface WebhookPorts {
  readonly outbox: Outbox;
  readonly clock: Clock;
  /** How long a lost connection may take to come back, ms. */
  readonly graceMs: number;
  /** How large a document is, bytes; undefined: it is not in memory. */
  readonly sizeOf: (room: string) => number | undefined;
  /** Told what went wrong without ending anything. */
  readonly onError: (error: unknown) => void;
}

/** How often it is noted that the process runs, ms: who is not back after its end was alive then. */
const ALIVE_MS = 5_000;
/** How long to wait when the process stops until receivers have taken what nothing would remember, ms. [HOOK-9] */
const GOODBYE_MS = 5_000;
/** How long to wait after a write to the outbox that failed, ms. */
const RETRY_MS = 1_000;

export class Webhooks implements EventSink {
  readonly #settings: WebhookSettings;
  readonly #ports: WebhookPorts;
  readonly #types: ReadonlySet<WebhookType>;
  readonly #receivers: readonly Receiver[];
  readonly #edits: Edits;
  /** Of messages that come about without an event; no other process has the same. */
  readonly #prefix = `w_${randomBytes(9).toString("base64url")}`;
  #count = 0;
  #visits: Visits;
  /** What has yet to be written, in order; and the write that is under way. */
  #unwritten: OutboxChange[] = [];
  #writing: Promise<void> | null = null;
  /** The ids of the events that came last: a feed brings them again if it does not hear that they were taken. */
  #lastEvents: ReadonlySet<string> = new Set();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #phase: "starting" | "running" | "closed" = "starting";
  /** Documents that changed before it is known what waits from before. */
  readonly #changedEarly = new Set<string>();
  /** Resolves when webhooks of before the start are known; rejects when nothing can be sent. */
  readonly ready: Promise<void>;

  constructor(settings: WebhookSettings, ports: WebhookPorts) {
    this.#settings = settings;
    this.#ports = ports;
    this.#types = new Set(settings.types);
    this.#visits = new Visits(this.#types);
    this.#receivers = settings.urls.map(
      (url) =>
        new Receiver({
          ...ports,
          url,
          timeoutMs: settings.timeoutMs,
          maxWaiting: settings.maxWaiting / settings.urls.length,
        }),
    );
    this.#edits = new Edits(
      () => ports.clock.now(),
      // [HOOK-14] the process may end before it is told
      (room) => this.#queue([], [{ type: "note", name: editNote(room), text: "" }]),
      (room) => this.#tellChanged(room),
    );
    this.ready = this.#start();
    // it is told to those who wait for it
    this.ready.catch(() => {});
  }

  /** By receiver, as they were given. */
  get counts(): readonly ReceiverCounts[] {
    return this.#receivers.map(({ counts }) => counts);
  }

  /** Takes events: resolves when what they say is in the outbox. Nobody leaves by an event before the grace is over. [HOOK-18] */
  async deliver(batch: readonly IdentifiedEvent[]): Promise<void> {
    await this.ready;
    const fresh = batch.filter(({ id }) => !this.#lastEvents.has(id));
    this.#lastEvents = new Set(batch.map(({ id }) => id));
    this.#tell(this.#visits.read(fresh));
    await this.#write();
  }

  /** A document changed. */
  changed(room: string): void {
    if (!this.#types.has("document.changed")) return;
    if (this.#phase === "running") this.#edits.changed(room);
    else this.#changedEarly.add(room);
  }

  /** Writes down again what receivers were told: the outbox has lost it. @param visits who is here, with what to remember of the user */
  async keepAgain(visits: Iterable<VisitNote>): Promise<void> {
    await this.ready;
    const open = [...visits].filter(([visit]) => this.#visits.has(visit));
    this.#unwritten.push(
      ...this.#receivers.map(({ id }) => ({ type: "note", name: `receiver/${id}`, text: "" }) as const),
      ...open.map(([visit, text]) => ({ type: "note", name: `visit/${visit}`, text }) as const),
      this.#aliveNote(),
    );
    await this.#write();
  }

  /** Sends what must not wait for the next start, and frees what is held. Events come no more. */
  async close(): Promise<void> {
    await this.ready.catch(() => {});
    if (this.#phase === "running") {
      this.#edits.close();
      await this.#sayGoodbye();
    }
    this.#phase = "closed";
    for (const receiver of this.#receivers) receiver.close();
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#ports.outbox.close();
  }

  async #start(): Promise<void> {
    const { outbox, clock, graceMs } = this.#ports;
    const sign = await signerOf(this.#settings.secrets);
    const notes = await outbox.notes();
    await this.#forgetOthers(notes);
    const kept = named(notes, "visit/");
    this.#visits = new Visits(this.#types, kept);
    for (const receiver of this.#receivers) {
      await receiver.start(sign, named(notes, untoldNote(receiver.id, "")).keys());
      if (notes.has(`receiver/${receiver.id}`)) continue;
      const messages = this.#visits.introduce(kept, clock.wall(), this.#nextId);
      this.#add(receiver.number(messages));
      this.#add([{ type: "note", name: `receiver/${receiver.id}`, text: "" }]);
    }
    await this.#write();
    this.#phase = "running";
    for (const room of named(notes, "edit/").keys()) this.changed(JSON.parse(room) as string);
    for (const room of this.#changedEarly) this.changed(room);
    this.#changedEarly.clear();
    // in steps: while the process does not run, nobody can come back
    const lastSeen = Number(notes.get("alive") ?? clock.wall());
    if (kept.size > 0)
      this.#countdown(Math.ceil((graceMs + this.#settings.returnMs) / 1_000), () => this.#endReturning(lastSeen));
    if (outbox.isDurable) this.#noteAlive();
  }

  /** Drops what waits for receivers that are not named any more. [HOOK-12] */
  async #forgetOthers(notes: ReadonlyMap<string, string>): Promise<void> {
    const { outbox } = this.#ports;
    const own = new Set(this.#receivers.map(({ id }) => id));
    for (const receiver of await outbox.receivers()) {
      if (own.has(receiver)) continue;
      for (;;) {
        const part = await outbox.messages(receiver, 0, 500);
        if (part.length === 0) break;
        await outbox.write(part.map(({ number }) => ({ type: "remove", receiver, number })));
      }
    }
    const gone = [...notes.keys()].filter((name) => {
      const [kind, receiver = ""] = name.split("/", 2);
      return (kind === "receiver" || kind === "untold") && !own.has(receiver);
    });
    if (gone.length > 0) await outbox.write(gone.map((name) => ({ type: "note", name, text: null })));
  }

  #endReturning(lastSeen: number): void {
    this.#tell(this.#visits.end(this.#visits.returning, lastSeen, this.#ports.clock.wall(), this.#nextId));
    void this.#writeUntilWritten();
  }

  /** Ends all visits, since nothing will remember them. [HOOK-9] */
  async #endAll(): Promise<Told> {
    const now = this.#ports.clock.wall();
    await this.#write();
    return this.#visits.end(named(await this.#ports.outbox.notes(), "visit/"), now, now, this.#nextId);
  }

  async #sayGoodbye(): Promise<void> {
    try {
      if (this.#ports.outbox.isDurable) this.#queue([], [this.#aliveNote()]);
      else this.#tell(await this.#endAll());
      await this.#write();
      // what is kept can wait for the next start
      if (!this.#ports.outbox.isDurable) await this.#allTaken();
    } catch (error) {
      this.#ports.onError(error);
    }
  }

  async #allTaken(): Promise<void> {
    const late = new Promise<void>((resolve) => this.#timers.add(setTimeout(resolve, GOODBYE_MS)));
    await Promise.race([Promise.all(this.#receivers.map((receiver) => receiver.idle())), late]);
  }

  #tellChanged(room: string): void {
    const size = this.#ports.sizeOf(room) ?? null;
    const message = roomMessage(this.#nextId(), "document.changed", room, this.#ports.clock.wall(), { size });
    this.#queue([message], [{ type: "note", name: editNote(room), text: null }]);
  }

  #tell({ messages, notes }: Told): void {
    for (const receiver of this.#receivers) this.#add(receiver.number(messages));
    this.#add(notes.map(([visit, text]) => ({ type: "note", name: `visit/${visit}`, text })));
  }

  #queue(messages: readonly Message[], notes: readonly OutboxChange[]): void {
    for (const receiver of this.#receivers) this.#add(receiver.number(messages));
    this.#add(notes);
    void this.#writeUntilWritten();
  }

  /** Notes what has yet to be written: one by one, since as arguments of one call the visits of a whole lobby would be too many. */
  #add(changes: readonly OutboxChange[]): void {
    for (const change of changes) this.#unwritten.push(change);
  }

  /** Writes what has yet to be written, all of it at once; one write after the other, so that messages keep their order. */
  async #write(): Promise<void> {
    while (this.#writing !== null) await this.#writing.catch(() => {});
    const changes = this.#unwritten;
    if (changes.length === 0) return;
    this.#unwritten = [];
    this.#writing = this.#ports.outbox.write(changes);
    try {
      await this.#writing;
    } catch (error) {
      this.#unwritten = [...changes, ...this.#unwritten];
      throw error;
    } finally {
      this.#writing = null;
    }
    for (const receiver of this.#receivers) receiver.queued(changes);
  }

  async #writeUntilWritten(): Promise<void> {
    try {
      await this.#write();
    } catch (error) {
      this.#ports.onError(error);
      this.#later(RETRY_MS, () => void this.#writeUntilWritten());
    }
  }

  #noteAlive(): void {
    if (this.#visits.size > 0) this.#queue([], [this.#aliveNote()]);
    this.#later(ALIVE_MS, () => this.#noteAlive());
  }

  #aliveNote(): OutboxChange {
    return { type: "note", name: "alive", text: `${this.#ports.clock.wall()}` };
  }

  #countdown(seconds: number, act: () => void): void {
    if (seconds === 0) act();
    else this.#later(1_000, () => this.#countdown(seconds - 1, act));
  }

  #later(ms: number, act: () => void): void {
    if (this.#phase === "closed") return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }

  readonly #nextId = (): string => `${this.#prefix}-${++this.#count}`;
}

function editNote(room: string): string {
  return `edit/${JSON.stringify(room)}`;
}

/** The notes whose names begin so, by the rest of their names. */
function named(notes: ReadonlyMap<string, string>, prefix: string): ReadonlyMap<string, string> {
  const found = [...notes].filter(([name]) => name.startsWith(prefix));
  return new Map(found.map(([name, text]) => [name.slice(prefix.length), text]));
}
