/**
 * Time for a simulated world: timers and two clocks that move only when told to, and know whose they are. One clock only
 * goes forward (`performance.now`); the other (`Date.now`) each machine may set as it likes.
 *
 * It must be installed before anything that keeps a reference to `Date.now` is imported (lib0 does), and stays for the
 * life of the process.
 */

/** One that runs code in the world: a page that can be frozen or throttled, or the relay. */
export interface Actor {
  readonly name: string;
  /** Whether its code may run now; what it may not run waits, in order. */
  mode: "running" | "throttled" | "frozen" | "dead";
  readonly waiting: (() => void)[];
  /** How far the wall clock of its machine is ahead of the true time, ms; negative: behind. */
  wallAheadMs: number;
  /** It does now what has waited: it hears what was said long ago. */
  isCatchingUp?: boolean;
}

interface Task {
  readonly id: number;
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  readonly actor: Actor | null;
  /** It waits for the next full minute, since its page is throttled. */
  readonly throttled?: true;
}

/** What `setTimeout` returns, as far as the code that runs in the world uses it. */
interface VirtualTimer {
  readonly id: number;
  unref(): VirtualTimer;
}

function timer(id: number): VirtualTimer {
  // a world ends when it is told to, whatever timers there are
  const made: VirtualTimer = { id, unref: () => made };
  return made;
}

/** Chrome lets the timers of a page that was hidden for long run once a minute. */
const THROTTLE_MS = 60_000;

const START = 1_800_000_000_000;
/** What the clock that only goes forward shows then: nothing that could be taken for a date. */
const START_MONOTONIC = 5_000;

export class VirtualClock {
  /** The true time, ms since the epoch. */
  now: number = START;
  /** Whose code is running; what it schedules is its own. */
  current: Actor | null = null;
  /** Runs what awaits something that is settled; null: such code waits until the world has ended. */
  settle: (() => void) | null = null;
  readonly #tasks = new Map<number, Task>();
  #heap: Task[] = [];
  #ids = 0;

  install(): void {
    Date.now = () => this.now + (this.current?.wallAheadMs ?? 0);
    Object.assign(globalThis, {
      setTimeout: (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
        timer(this.#add(() => run(...args), ms)),
      clearTimeout: (made?: VirtualTimer) => this.#cancel(made?.id),
      setInterval: (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
        timer(this.#repeat(() => run(...args), ms)),
      clearInterval: (made?: VirtualTimer) => this.#cancel(made?.id),
      setImmediate: (run: () => void) => this.#add(run, 0),
      clearImmediate: (id?: number) => this.#cancel(id),
      // no timer: nothing throttles it
      queueMicrotask: (run: () => void) => this.#soon(run),
    });
    performance.now = () => this.now - START + START_MONOTONIC;
  }

  #soon(run: () => void): void {
    const actor = this.current;
    this.after(0, () => (actor === null ? run() : this.as(actor, run)));
  }

  /** Timers that have not fired, of a given actor or of all. */
  pending(actor?: Actor): number {
    return [...this.#tasks.values()].filter((task) => actor === undefined || task.actor === actor).length;
  }

  /** Begins again, without the timers of a world whose pages were killed in the middle of things. */
  restart(): void {
    this.now = START;
    this.current = null;
    this.#tasks.clear();
    this.#heap = [];
    this.#ids = 0;
  }

  /** Calls back in the name of nobody: the network, the schedule. */
  after(ms: number, run: () => void): void {
    const before = this.current;
    this.current = null;
    this.#add(run, ms);
    this.current = before;
  }

  /** Runs code as an actor, or lets it wait until the actor may run. */
  as(actor: Actor, run: () => void): void {
    if (actor.mode === "dead") return;
    if (actor.mode === "frozen") {
      actor.waiting.push(run);
      return;
    }
    const before = this.current;
    this.current = actor;
    try {
      run();
      if (before === null) this.settle?.();
    } finally {
      this.current = before;
    }
  }

  thaw(actor: Actor): void {
    actor.mode = "running";
    for (const task of this.#tasks.values()) {
      if (task.actor === actor && task.throttled) this.#push({ ...task, at: this.now });
    }
    actor.isCatchingUp = true;
    for (const run of actor.waiting.splice(0)) this.as(actor, run);
    actor.isCatchingUp = false;
  }

  /** Lets `ms` pass. */
  advance(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const task = this.#heap[0];
      if (task === undefined || task.at > until) break;
      this.#pop();
      if (this.#tasks.get(task.id) !== task) continue;
      this.now = Math.max(this.now, task.at);
      this.#fire(task);
    }
    this.now = until;
  }

  #fire(task: Task): void {
    const { actor } = task;
    if (actor === null) {
      this.#tasks.delete(task.id);
      task.run();
      return this.settle?.();
    }
    if (actor.mode === "throttled" && this.now % THROTTLE_MS !== 0) {
      // waits for the next full minute
      return this.#push({ ...task, at: Math.ceil(this.now / THROTTLE_MS) * THROTTLE_MS, throttled: true });
    }
    // a timer of a frozen page that is cleared before it thaws does not run
    this.as(actor, () => {
      if (this.#tasks.get(task.id) !== task) return;
      this.#tasks.delete(task.id);
      task.run();
    });
  }

  #add(run: () => void, ms: number): number {
    const id = ++this.#ids;
    this.#push({ id, at: this.now + Math.max(0, Math.ceil(ms)), order: id, run, actor: this.current });
    return id;
  }

  #repeat(run: () => void, ms: number): number {
    const id = ++this.#ids;
    const actor = this.current;
    const next = (): void => {
      this.#push({ id, at: this.now + Math.max(1, ms), order: ++this.#ids, run: tick, actor });
    };
    const tick = (): void => {
      next();
      run();
    };
    next();
    return id;
  }

  #cancel(id?: number): void {
    if (id !== undefined) this.#tasks.delete(id);
  }

  #push(task: Task): void {
    this.#tasks.set(task.id, task);
    const heap = this.#heap;
    let i = heap.push(task) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(heap[i]!, heap[parent]!)) break;
      [heap[i], heap[parent]] = [heap[parent]!, heap[i]!];
      i = parent;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let i = 0; ;) {
      const [left, right] = [2 * i + 1, 2 * i + 2];
      let least = i;
      if (left < heap.length && isBefore(heap[left]!, heap[least]!)) least = left;
      if (right < heap.length && isBefore(heap[right]!, heap[least]!)) least = right;
      if (least === i) return;
      [heap[i], heap[least]] = [heap[least]!, heap[i]!];
      i = least;
    }
  }
}

function isBefore(a: Task, b: Task): boolean {
  return a.at !== b.at ? a.at < b.at : a.order < b.order;
}
