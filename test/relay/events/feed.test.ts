import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Directory } from "../../../src/lobby/index.ts";
import { EventFeed } from "../../../src/relay/events/feed.ts";
import { MemoryEventSink } from "../../../src/relay/events/memory.ts";
import type { EventSink, IdentifiedEvent } from "../../../src/relay/ports/event-sink.ts";
import { report } from "../../lobby/reports.ts";
import { eventSinkContract } from "./contract.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** People who come, one event each. */
function comings(count: number, from = 0): readonly IdentifiedEvent[] {
  const directory = new Directory<object>("@lobby");
  for (let i = 0; i < count; i++) directory.report({}, report(`user${from + i}`, `s${from + i}`), 1);
  return directory.flush(1, 1).map((event, i) => ({ ...event, id: `r_1-${from + i + 1}` }));
}

/** A memory sink that may fail, before or after it has taken a batch. */
class FlakySink implements EventSink {
  readonly memory = new MemoryEventSink();
  readonly sizes: number[] = [];
  fails: "not" | "before" | "after" = "not";

  async deliver(batch: readonly IdentifiedEvent[]): Promise<void> {
    this.sizes.push(batch.length);
    if (this.fails === "before") throw new Error("away");
    await this.memory.deliver(batch);
    if (this.fails === "after") throw new Error("nobody heard that it was taken");
  }
}

describe("the memory sink", () => {
  eventSinkContract(() => {
    const sink = new MemoryEventSink();
    return Promise.resolve({ sink, taken: () => sink.events });
  });
});

it("[EVENT-1] events come in order, each with an id of its own, in batches, one batch at a time", async () => {
  const sink = new FlakySink();
  const feed = new EventFeed(sink, () => {});
  for (let i = 0; i < 12; i++) feed.push(comings(100, i * 100));
  await vi.advanceTimersByTimeAsync(1);
  const { events } = sink.memory;
  expect(events.map(({ userId }) => userId)).toEqual(Array.from({ length: 1_200 }, (_, i) => `user${i}`));
  expect(new Set(events.map(({ id }) => id)).size).toBe(1_200);
  expect(sink.sizes.length).toBeLessThan(6);
});

it("[EVENT-2] what a sink did not take comes again with the same ids, and nothing is missing", async () => {
  const sink = new FlakySink();
  const errors: unknown[] = [];
  const feed = new EventFeed(sink, (error) => errors.push(error));
  sink.fails = "before";
  feed.push(comings(1));
  await vi.advanceTimersByTimeAsync(2_000);
  sink.fails = "after";
  feed.push(comings(1, 1));
  await vi.advanceTimersByTimeAsync(5_000);
  sink.fails = "not";
  await vi.advanceTimersByTimeAsync(30_000);
  expect(sink.memory.events.map(({ id, userId }) => [id, userId])).toEqual([
    ["r_1-1", "user0"],
    ["r_1-2", "user1"],
  ]);
  expect(errors).toHaveLength(1);
  expect(vi.getTimerCount()).toBe(0);
});

it("[EVENT-2] what waits when the relay stops is delivered once more", async () => {
  const sink = new FlakySink();
  const feed = new EventFeed(sink, () => {});
  sink.fails = "before";
  feed.push(comings(1));
  await vi.advanceTimersByTimeAsync(1);
  sink.fails = "not";
  await feed.close();
  expect(sink.memory.events).toHaveLength(1);
  expect(vi.getTimerCount()).toBe(0);
});

it("[EVENT-3] for a sink that takes nothing only so many wait, and it is said that the oldest are dropped", async () => {
  const sink = new FlakySink();
  const errors: string[] = [];
  const feed = new EventFeed(sink, (error) => errors.push(String(error)));
  sink.fails = "before";
  const [event] = comings(1);
  for (let i = 0; i < 3; i++) {
    feed.push(Array.from({ length: 40_000 }, (_, j) => ({ ...event!, id: `r_1-${i * 40_000 + j + 1}` })));
  }
  await vi.advanceTimersByTimeAsync(1);
  expect(errors.filter((error) => error.includes("events are dropped"))).toHaveLength(1);
  sink.fails = "not";
  await feed.close();
  expect(sink.memory.events).toHaveLength(100_000);
  expect(sink.memory.events.at(-1)?.id).toBe("r_1-120000");
});

it("[EVENT-1] takes the leaves of a whole lobby at once, however many they are", async () => {
  const sink = new FlakySink();
  const feed = new EventFeed(sink, () => {});
  const [event] = comings(1);
  if (event === undefined) throw new Error("nobody came");
  feed.push(Array.from({ length: 150_000 }, (_, i) => ({ ...event, id: `r_1-${i}` })));
  await vi.advanceTimersByTimeAsync(1);
  // the newest 100,000 are kept [EVENT-3]
  expect(sink.memory.events).toHaveLength(100_000);
  expect(sink.memory.events.at(-1)?.id).toBe("r_1-149999");
});
