/** What one relay tells the relay that sends webhooks: each event, and all who are here whenever another relay sends. [HOOK-20] */
import { equal, infoOf } from "../../../presence/index.ts";
import type { IdentifiedEvent } from "../../ports/event-sink.ts";
import type { SharedOutbox } from "../../ports/stores/shared-outbox.ts";
import { visitOf } from "../message.ts";
import type { Report } from "./report.ts";

/** Of a document that is written all the time, that is told at most so often, ms. */
const EDITED_EVERY_MS = 1_000;
/** Reports that are told at once. */
const MAX_REPORTS = 500;

/** A report as its relay makes it, which adds its own id. */
type OwnReport = Report extends infer Each ? (Each extends Report ? Omit<Each, "relay"> : never) : never;

export interface ReporterSetup {
  /** The relay's id. */
  readonly relay: string;
  readonly shared: Pick<SharedOutbox, "tell">;
  /** Whether receivers are told of changes of users, besides those of names. */
  readonly tellsUpdates: boolean;
  /** How large a document is, bytes; undefined: it is not in memory. */
  readonly sizeOf: (room: string) => number | undefined;
  readonly onError: (error: unknown) => void;
}

export class Reporter {
  readonly #setup: ReporterSetup;
  /** Who was told to be here: the events by which they came, by room and visit. */
  readonly #here = new Map<string, Map<string, IdentifiedEvent>>();
  /** Documents that changed, and wait to be told so. */
  readonly #edited = new Map<string, ReturnType<typeof setTimeout>>();
  /** What is told goes one after the other. */
  #telling: Promise<void> = Promise.resolve();

  constructor(setup: ReporterSetup) {
    this.#setup = setup;
  }

  /** Tells events. Rejects if that failed: the same events are to be told again. */
  deliver(events: readonly IdentifiedEvent[]): Promise<void> {
    const told = events.filter((event) => this.#isTold(event));
    return this.#tell(
      told.map((event) => ({ type: "event", event })),
      () => {
        for (const event of told) this.#note(event);
      },
    );
  }

  /** Tells all who are here. */
  tellAll(): Promise<void> {
    return this.#inTurn(() => {
      const here = [...this.#here.values()].flatMap((visits) => [...visits.values()]);
      return this.#send([
        { type: "begin" },
        ...here.map((event) => ({ type: "here", event }) as const),
        { type: "end" },
      ]);
    });
  }

  /** A room or lobby is not open here any more. Those who are still in it are in it through other relays. */
  closed(roomId: string): void {
    this.#tell([{ type: "closed", roomId }], () => this.#here.delete(roomId)).catch(this.#setup.onError);
  }

  /** A document changed. It costs next to nothing: this comes with each keystroke. */
  edited(roomId: string): void {
    if (this.#edited.has(roomId)) return;
    const tell = (): void => {
      this.#edited.delete(roomId);
      const size = this.#setup.sizeOf(roomId) ?? null;
      this.#tell([{ type: "edited", roomId, size }], () => {}).catch(this.#setup.onError);
    };
    this.#edited.set(roomId, setTimeout(tell, EDITED_EVERY_MS));
  }

  /** Resolves when what was to be told is told, or could not be. */
  async close(): Promise<void> {
    for (const timer of this.#edited.values()) clearTimeout(timer);
    await this.#telling;
  }

  #isTold(event: IdentifiedEvent): boolean {
    if (event.type !== "update" || this.#setup.tellsUpdates) return true;
    return !equal(infoOf(event.user), infoOf(event.previous));
  }

  #note(event: IdentifiedEvent): void {
    const { type, roomId, user } = event;
    const visits = this.#here.get(roomId) ?? new Map<string, IdentifiedEvent>();
    const visit = visitOf(roomId, user.id);
    if (type === "leave") visits.delete(visit);
    else if (type === "join") visits.set(visit, event);
    if (visits.size > 0) this.#here.set(roomId, visits);
    else this.#here.delete(roomId);
  }

  #tell(reports: readonly OwnReport[], onTold: () => void): Promise<void> {
    return this.#inTurn(async () => {
      await this.#send(reports);
      onTold();
    });
  }

  #inTurn(act: () => Promise<void>): Promise<void> {
    const done = this.#telling.then(act);
    this.#telling = done.catch(() => {});
    return done;
  }

  async #send(reports: readonly OwnReport[]): Promise<void> {
    const { relay, shared } = this.#setup;
    for (let from = 0; from < reports.length; from += MAX_REPORTS) {
      const part = reports.slice(from, from + MAX_REPORTS);
      await shared.tell(part.map((report) => JSON.stringify({ ...report, relay })));
    }
  }
}
