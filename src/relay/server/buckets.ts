/**
 * How often values of some sizes were seen, as Prometheus reads it. Counted here and not by prom-client, since each message is
 * counted: to add one to a number takes a small part of the time. [SEE-2]
 */
export class Buckets {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  /** How many values were within each bound and above the one before it; and behind these, how many were above all. */
  readonly #counts: number[];
  #sum = 0;

  /**
   * @param name of the family, with its unit
   * @param help one sentence
   * @param bounds the largest value of each bucket, from small to large
   */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name;
    this.#help = help;
    this.#bounds = bounds;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let place = 0;
    while (place < bounds.length && value > (bounds[place] ?? 0)) place++;
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
    this.#sum += value;
  }

  /** The lines of the page. */
  get text(): string {
    const name = this.#name;
    const lines = [`# HELP ${name} ${this.#help}`, `# TYPE ${name} histogram`];
    let count = 0;
    for (const [place, seen] of this.#counts.entries()) {
      count += seen;
      lines.push(`${name}_bucket{le="${this.#bounds[place] ?? "+Inf"}"} ${count}`);
    }
    lines.push(`${name}_sum ${this.#sum}`, `${name}_count ${count}`);
    return `${lines.join("\n")}\n`;
  }
}
