// A store of your own, here a JSON file for each room: one relay at a time may use the folder. An object store works in the
// same way, with conditional PUTs (`If-Match`) in the place of the line of promises.
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";

const text = (bytes) => Buffer.from(bytes).toString("base64");
const bytes = (base64) => Buffer.from(base64, "base64");

export class JsonStore {
  #last = Promise.resolve();

  constructor(folder) {
    this.folder = folder;
  }

  async load(room, signal) {
    signal.throwIfAborted();
    const { last, snapshot, updates } = await this.#read(room);
    if (last === 0) return null;
    return { snapshot: snapshot && bytes(snapshot), updates: updates.map(bytes), position: `${last}` };
  }

  append(room, updates) {
    return this.#change(room, (document) => {
      document.updates.push(...updates.map(text));
      document.last += updates.length;
      return `${document.last}`;
    });
  }

  compact(room, snapshot, upTo) {
    return this.#change(room, (document) => {
      const count = Number(upTo) - (document.last - document.updates.length);
      if (count <= 0 || count > document.updates.length) return false; // another compaction was first
      document.snapshot = text(snapshot);
      document.updates.splice(0, count);
      return true;
    });
  }

  // a file gives way to the next one as a whole, so that a crash leaves either
  #change(room, change) {
    const done = this.#last.then(async () => {
      const document = await this.#read(room);
      const result = change(document);
      await mkdir(this.folder, { recursive: true });
      await writeFile(`${this.#file(room)}.new`, JSON.stringify(document));
      await rename(`${this.#file(room)}.new`, this.#file(room));
      return result;
    });
    this.#last = done.catch(() => {}); // who asked for it was told
    return done;
  }

  async #read(room) {
    const file = await readFile(this.#file(room), "utf8").catch((error) => {
      if (error.code === "ENOENT") return null;
      throw error;
    });
    return file === null ? { last: 0, snapshot: null, updates: [] } : JSON.parse(file);
  }

  #file(room) {
    return `${this.folder}/${createHash("sha256").update(room).digest("hex")}.json`;
  }
}
