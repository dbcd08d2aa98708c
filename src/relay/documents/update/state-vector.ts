/** State vectors: of each client, the next clock that is not known. */
import * as encoding from "lib0/encoding";
import { FrameError } from "../../../wire/index.ts";
import { UpdateReader } from "./bytes.ts";
import { clockAt } from "./plan.ts";
import type { Update } from "./update.ts";

export type StateVector = ReadonlyMap<number, number>;

/** Throws `FrameError`. */
export function readStateVector(bytes: Uint8Array): StateVector {
  const from = new UpdateReader(bytes);
  const states = new Map<number, number>();
  try {
    const count = from.uint();
    for (let i = 0; i < count; i++) {
      const client = from.uint();
      states.set(client, from.uint());
    }
  } catch {
    throw new FrameError("invalid state vector");
  }
  return states;
}

export function writeStateVector(states: StateVector): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, states.size);
    for (const [client, clock] of [...states].toSorted(([a], [b]) => b - a)) {
      encoding.writeVarUint(encoder, client);
      encoding.writeVarUint(encoder, clock);
    }
  });
}

/** What one knows who has read a whole document, encoded as an update. */
export function statesIn({ runs }: Update): Map<number, number> {
  return new Map(runs.map((run) => [run.client, clockAt(run, run.clocks.length - 1)]));
}
