/** One who listens to events, over one response that does not end. [API-27] [API-30] */

/** What the stream begins with may be long: it is kept in parts, and each part is let go once it is read. */
const PART_BYTES = 64 * 2 ** 10;
/** So many bytes may wait for one who reads slowly, besides what the stream began with. */
const MAX_BEHIND = 2 ** 20;
const encoder = new TextEncoder();
/** Says that the connection is there, and nothing else. */
const COMMENT = encoder.encode(":\n\n");

export class EventStream {
  readonly #wants: (event: Heard) => boolean;
  readonly #onEnd: (stream: EventStream) => void;
  readonly response: Response;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #slack = MAX_BEHIND;

  /**
   * @param wants whether it is told of an event
   * @param onEnd called once, when nobody listens any more
   */
  constructor(wants: (event: Heard) => boolean, onEnd: (stream: EventStream) => void) {
    this.#wants = wants;
    this.#onEnd = onEnd;
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (this.#controller = controller),
        cancel: () => this.#end(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: 0 }),
    );
    const headers = {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      // else some proxies gather what is sent
      "x-accel-buffering": "no",
    };
    this.response = new Response(body, { headers });
  }

  /** Sends what the stream begins with, however long. */
  begin(messages: readonly Uint8Array[]): void {
    for (const message of messages) {
      this.#slack += message.length;
      for (let from = 0; from < message.length; from += PART_BYTES) {
        this.#controller?.enqueue(message.slice(from, from + PART_BYTES));
      }
    }
  }

  /** Bytes that wait to be read. */
  get unread(): number {
    return Math.max(0, -(this.#controller?.desiredSize ?? 0));
  }

  /** Ends the response in the midst: a reader comes again, and is told how things are then. */
  cutOff(): void {
    const controller = this.#controller;
    this.#end();
    controller?.error(new Error("too slow"));
  }

  tell(event: Heard): void {
    if (this.#wants(event)) this.#send(event.message);
  }

  keepAlive(): void {
    this.#send(COMMENT);
  }

  /** Ends the response. */
  close(): void {
    const controller = this.#controller;
    this.#end();
    controller?.close();
  }

  #send(message: Uint8Array): void {
    // [API-30] who does not read comes again
    if (this.unread > this.#slack) this.cutOff();
    else this.#controller?.enqueue(message);
  }

  #end(): void {
    if (this.#controller === undefined) return;
    this.#controller = undefined;
    this.#onEnd(this);
  }
}

/** What a listener has to know of an event. */
export interface Heard {
  readonly place: string;
  readonly userId: string;
  readonly lobby: string | null;
  readonly message: Uint8Array;
}

/** A message of server-sent events. */
export function eventMessage(id: string, type: string, data: string): Uint8Array {
  return encoder.encode(`id: ${id}\nevent: ${type}\ndata: ${data}\n\n`);
}
