/** Which frames may cost far more than their number and size say. Pure. */
import type { Frame } from "../../wire/index.ts";

/** A document update that somebody types is smaller, bytes. */
const LARGE_UPDATE_BYTES = 1024;

/** [COST-10] So that nobody goes on with costly updates by a new connection for each. */
export function isLargeUpdate(frame: Frame): boolean {
  return (frame.type === "update" || frame.type === "syncStep2") && frame.update.length > LARGE_UPDATE_BYTES;
}

/** A number for each kind of question, of which a few bytes bring a long answer; 0: it is none. [COST-4] */
export function questionIn(frame: Frame): number {
  if (frame.type === "syncStep1") return 1;
  if (frame.type === "control" && frame.control.kind === "watch") return 4;
  return frame.type === "queryAwareness" ? 2 : 0;
}

/** How long each KiB of a message is expected to take, besides what its connection has taken of late, ms. */
const MS_PER_KIB = 1;
/** The next message of a connection is expected to take this part of the time that all of its messages have taken of late. */
const OF_LATE_PART = 1 / 20;

/** About how long it takes to act on a message of so many bytes, of a connection that has taken so long of late: ms. [COST-8] */
export function expectedMs(bytes: number, ofLateMs: number): number {
  return ofLateMs * OF_LATE_PART + (bytes / 1024) * MS_PER_KIB;
}
