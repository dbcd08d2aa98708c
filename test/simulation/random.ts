/** Chance that can be replayed: mulberry32. */
import { webcrypto } from "node:crypto";

export interface Random {
  /** From 0 (inclusive) to 1 (exclusive). */
  next(): number;
  /** A whole number from `from` to `to`, both included. */
  int(from: number, to: number): number;
  pick<T>(items: readonly T[]): T;
  chance(probability: number): boolean;
}

/** The chance of the world that is being simulated. */
export const chance: { current: Random } = { current: seeded(0) };

/**
 * Makes it the source of all chance in the process: `Math.random`, and the ids that lib0 and our client draw from Web
 * Crypto. To be called before they are imported, since they keep references.
 */
export function installRandom(): void {
  const random = (): Random => chance.current;
  Math.random = () => random().next();
  const fill = <T extends ArrayBufferView | null>(view: T): T => {
    if (view === null) return view;
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    for (let i = 0; i < bytes.length; i++) bytes[i] = random().int(0, 255);
    return view;
  };
  for (const source of [webcrypto, globalThis.crypto]) {
    Object.defineProperty(source, "getRandomValues", { value: fill, configurable: true });
    Object.defineProperty(source, "randomUUID", {
      value: () => Array.from({ length: 32 }, () => random().int(0, 15).toString(16)).join(""),
      configurable: true,
    });
  }
}

export function seeded(seed: number): Random {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    int: (from, to) => from + Math.floor(next() * (to - from + 1)),
    pick: (items) => items[Math.floor(next() * items.length)]!,
    chance: (probability) => next() < probability,
  };
}
