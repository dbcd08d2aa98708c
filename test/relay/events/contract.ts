/** What every sink of events has to do, wherever it puts them. */
import { expect, it } from "vitest";
import { Directory } from "../../../src/lobby/index.ts";
import type { EventSink, IdentifiedEvent } from "../../../src/relay/ports/event-sink.ts";
import { report } from "../../lobby/reports.ts";

function batch(...ids: string[]): IdentifiedEvent[] {
  const directory = new Directory<object>("@lobby");
  for (const id of ids) directory.report({}, report(`user-${id}`, `s-${id}`), 1);
  return directory.flush(1, 1).map((event) => ({ ...event, id: event.userId.slice("user-".length) }));
}

/** @param open makes an empty sink, and says what it has taken */
export function eventSinkContract(
  open: () => Promise<{ readonly sink: EventSink; readonly taken: () => readonly IdentifiedEvent[] }>,
): void {
  it("takes events in order, whole", async () => {
    const { sink, taken } = await open();
    const events = batch("1", "2", "3");
    await sink.deliver(events.slice(0, 2));
    await sink.deliver(events.slice(2));
    expect(taken()).toEqual(events);
  });

  it("takes an event once, however often it comes", async () => {
    const { sink, taken } = await open();
    const events = batch("1", "2", "3");
    await sink.deliver(events.slice(0, 2));
    await sink.deliver(events);
    expect(taken().map(({ id }) => id)).toEqual(["1", "2", "3"]);
  });

  it("takes an empty batch", async () => {
    const { sink, taken } = await open();
    await sink.deliver([]);
    expect(taken()).toEqual([]);
  });
}
