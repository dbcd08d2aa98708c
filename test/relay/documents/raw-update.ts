/** Updates put together by hand, with whatever is wrong about them. */
import * as encoding from "lib0/encoding";

/** A struct: its bytes. */
export type Struct = readonly number[];

export interface Section {
  readonly client: number;
  readonly clock: number;
  readonly structs: readonly Struct[];
}

export interface Deletions {
  readonly client: number;
  readonly ranges: readonly (readonly [clock: number, length: number])[];
}

export function uint(value: number): number[] {
  return [...encoding.encode((encoder) => encoding.writeVarUint(encoder, value))];
}

export function text(value: string): number[] {
  return [...encoding.encode((encoder) => encoding.writeVarString(encoder, value))];
}

export function rawUpdate(sections: readonly Section[], deletions: readonly Deletions[] = []): Uint8Array {
  const bytes: number[] = [...uint(sections.length)];
  const add = (values: readonly number[]): void => {
    for (const value of values) bytes.push(value);
  };
  for (const { client, clock, structs } of sections) {
    for (const value of [structs.length, client, clock]) add(uint(value));
    for (const struct of structs) add(struct);
  }
  add(uint(deletions.length));
  for (const { client, ranges } of deletions) {
    for (const value of [client, ranges.length, ...ranges.flat()]) add(uint(value));
  }
  return Uint8Array.from(bytes);
}

/** An insertion at the end of the root `t`, without anything before or after it. */
export function inRoot(kind: number, ...content: number[]): Struct {
  return [kind, 1, ...text("t"), ...content];
}

/** An insertion after another. */
export function after(kind: number, client: number, clock: number, ...content: number[]): Struct {
  return [kind | 128, ...uint(client), ...uint(clock), ...content];
}

/** An insertion into a type. */
export function inType(kind: number, client: number, clock: number, ...content: number[]): Struct {
  return [kind, 0, ...uint(client), ...uint(clock), ...content];
}
