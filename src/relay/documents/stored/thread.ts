/**
 * Makes one update of what is stored of a document, in a thread of its own, one document after the other. [STORE-12] The thread
 * is started when there is something to do, and ended when there has been nothing for a while: it holds a Yjs of its own.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { type CompactionInput, compactDocument } from "./compact.ts";
import { here } from "./here.ts";
import { type MergeInput, type Merged, mergeStored } from "./merge.ts";
import { type Work, pack } from "./packed.ts";

/** How long the thread may have nothing to do before it is ended, ms. */
const IDLE_MS = 10_000;

interface Job {
  readonly work: Work;
  readonly resolve: (merged: Merged) => void;
  readonly reject: (error: Error) => void;
}

type Answer = Merged | { readonly error: string };

export class DocumentThread {
  /** The first of them is under way. */
  readonly #jobs: Job[] = [];
  readonly #file: string | null;
  #worker: Worker | null = null;
  #idle: ReturnType<typeof setTimeout> | undefined;

  /** @param file what the thread runs; null: there is none, and the work is done where it is asked for */
  constructor(file: string | null = workerFile()) {
    this.#file = file;
  }

  /** Makes one short update of many. Rejects when Yjs cannot do it, or `close` was called meanwhile. */
  async compact(input: CompactionInput): Promise<Uint8Array> {
    const file = this.#file;
    if (file === null) return compactDocument(input);
    return (await this.#do(file, { task: "compact", input })).update;
  }

  /** Makes one update of many, and forgets nothing. Rejects when Yjs cannot do it, or `close` was called meanwhile. */
  async merge(input: MergeInput): Promise<Merged> {
    const file = this.#file;
    return file === null ? mergeStored(input) : await this.#do(file, { task: "merge", input });
  }

  /** Ends the thread; what it has not done is not done. */
  close(): void {
    this.#stop(new Error("the relay is stopping"));
  }

  #do(file: string, work: Work): Promise<Merged> {
    return new Promise((resolve, reject) => {
      this.#jobs.push({ work, resolve, reject });
      if (this.#jobs.length === 1) this.#next(file);
    });
  }

  #next(file: string): void {
    clearTimeout(this.#idle);
    const [job] = this.#jobs;
    if (job === undefined) {
      // with nothing to do it keeps no process alive
      this.#worker?.unref();
      this.#idle = setTimeout(() => this.#stop(new Error("it was idle")), IDLE_MS).unref();
      return;
    }
    void this.#begin(file, job);
  }

  async #begin(file: string, job: Job): Promise<void> {
    const packed = await pack(job.work);
    // given up meanwhile
    if (this.#jobs[0] !== job) return;
    this.#worker ??= this.#start(file);
    this.#worker.ref();
    this.#worker.postMessage(packed, [packed.bytes.buffer]);
  }

  #start(file: string): Worker {
    const worker = new Worker(file);
    worker.on("message", (answer: Answer) => {
      const job = this.#jobs.shift();
      if ("error" in answer) job?.reject(new Error(answer.error));
      else job?.resolve(answer);
      this.#next(file);
    });
    worker.on("error", (error: Error) => this.#worker === worker && this.#stop(error));
    return worker;
  }

  #stop(error: Error): void {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = null;
    for (const { reject } of this.#jobs.splice(0)) reject(error);
    void worker?.terminate();
  }
}

/** The sources have no such file, nor may a bundle. */
function workerFile(): string | null {
  const file = fileURLToPath(new URL("./worker.js", here));
  return existsSync(file) ? file : null;
}
