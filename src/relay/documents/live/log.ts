/** Updates one after the other, packed: thousands of small arrays would take ten times the memory. */
export class UpdateLog {
  #bytes = new Uint8Array(256);
  #length = 0;

  /** How much is in it, bytes. */
  get length(): number {
    return this.#length;
  }

  push(update: Uint8Array): void {
    const end = this.#length + 4 + update.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    new DataView(this.#bytes.buffer).setUint32(this.#length, update.length);
    this.#bytes.set(update, this.#length + 4);
    this.#length = end;
  }

  *[Symbol.iterator](): Generator<Uint8Array> {
    const view = new DataView(this.#bytes.buffer);
    for (let at = 0; at < this.#length;) {
      const from = at + 4;
      at = from + view.getUint32(at);
      yield this.#bytes.slice(from, at);
    }
  }
}
