import { expect, it } from "vitest";
import { QueueByTime } from "../../../src/relay/util/queue-by-time.ts";

it("takes what is due, earliest first, in whatever order it came", () => {
  const queue = new QueueByTime<number>();
  expect([queue.dueAt, queue.take(Infinity)]).toEqual([null, undefined]);
  const times = Array.from({ length: 200 }, (_, i) => (i * 7_919) % 211);
  for (const at of times) queue.add(at, at);
  expect(queue.dueAt).toBe(0);
  expect(queue.take(-1)).toBeUndefined();
  const taken: number[] = [];
  for (let item = queue.take(100); item !== undefined; item = queue.take(100)) taken.push(item);
  expect(taken).toEqual(times.filter((at) => at <= 100).toSorted((a, b) => a - b));
  expect(queue.dueAt).toBeGreaterThan(100);
});
