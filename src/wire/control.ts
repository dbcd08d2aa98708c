/**
 * What relay and client say to each other beyond y-websocket: small, rare, JSON.
 */
import { type ManualChoice, isRecord, readManual } from "../presence/index.ts";
import { FrameError, json } from "./bytes.ts";

/**
 * What the relay knows of a connection that its awareness state does not say: its network is gone (`reconnecting`), its
 * page is silent (`silent`: shown as away), or neither any more (`clear`).
 */
export type Mark = "reconnecting" | "silent" | "clear";

/** Client id, mark, and when the connection was last known to be alive, ms since the epoch by the relay's clock. */
export type MarkEntry = readonly [clientId: number, mark: Mark, lastSeen: number];

export type Control =
  /** Relay → client, first of all. `shard` is new with each start of the relay; `graceMs` is its leave grace. */
  | { readonly kind: "hello"; readonly shard: string; readonly graceMs: number }
  /** Relay → client, in a room. */
  | { readonly kind: "marks"; readonly marks: readonly MarkEntry[] }
  /** Relay → client, in a lobby: another session of the same user holds a newer choice of status. */
  | { readonly kind: "manual"; readonly manual: ManualChoice }
  /** Relay → client: another connection to this room speaks for your session. If you live, take a new session id. */
  | { readonly kind: "superseded"; readonly session: string }
  /** Client → relay: are you there? */
  | { readonly kind: "ping" }
  /** Relay → client. */
  | { readonly kind: "pong" };

const MARKS: ReadonlySet<unknown> = new Set<Mark>(["reconnecting", "silent", "clear"]);
const MAX_DEPTH = 8;

export function encodeControl(control: Control): string {
  return JSON.stringify(control);
}

/** Throws `FrameError`. */
export function decodeControl(source: string): Control {
  const value = json(source, MAX_DEPTH);
  const control = isRecord(value) ? readControl(value) : null;
  if (control === null) throw new FrameError("unknown or malformed control message");
  return control;
}

function readControl(value: Record<string, unknown>): Control | null {
  switch (value["kind"]) {
    case "hello": {
      const { shard, graceMs } = value;
      return typeof shard === "string" && typeof graceMs === "number" ? { kind: "hello", shard, graceMs } : null;
    }
    case "marks": {
      const { marks } = value;
      return Array.isArray(marks) && marks.every(isMarkEntry) ? { kind: "marks", marks } : null;
    }
    case "manual": {
      const manual = readManual(value["manual"]);
      return manual === null ? null : { kind: "manual", manual };
    }
    case "superseded": {
      const { session } = value;
      return typeof session === "string" ? { kind: "superseded", session } : null;
    }
    case "ping":
    case "pong":
      return { kind: value["kind"] };
    default:
      return null;
  }
}

function isMarkEntry(value: unknown): value is MarkEntry {
  return (
    Array.isArray(value) &&
    value.length === 3 &&
    typeof value[0] === "number" &&
    MARKS.has(value[1]) &&
    typeof value[2] === "number"
  );
}
