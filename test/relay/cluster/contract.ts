/** What every bus has to do, whatever carries it. */
import { afterEach, expect, it } from "vitest";
import type { Bus } from "../../../src/relay/ports/bus.ts";
import { until } from "../../support.ts";

/** @param open makes a bus; two of them that are opened one after the other reach each other */
export function busContract(open: () => Promise<Bus>, done: () => void = () => {}): void {
  afterEach(done);

  it("brings what is published to all who listen to the topic, in order, and to nobody else", async () => {
    const [alice, bob] = [await open(), await open()];
    const [heard, elsewhere]: [number[], number[]] = [[], []];
    bob.subscribe("doc", ([byte = -1]) => heard.push(byte));
    bob.subscribe("other", ([byte = -1]) => elsewhere.push(byte));
    await listening(bob, "doc", 1);
    for (let i = 0; i < 100; i++) void alice.publish("doc", Uint8Array.of(i));
    await until("all of it is heard", () => heard.length === 100);
    expect(heard).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(elsewhere).toEqual([]);
  });

  it("goes on before anybody hears", async () => {
    const bus = await open();
    let isHeard = false;
    bus.subscribe("doc", () => (isHeard = true));
    await listening(bus, "doc", 1);
    void bus.publish("doc", Uint8Array.of(1));
    expect(isHeard).toBe(false);
    await until("it is heard", () => isHeard);
  });

  it("says nothing more to one who has stopped to listen, and all to the others", async () => {
    const bus = await open();
    const [first, second]: [number[], number[]] = [[], []];
    const listen = ([byte = -1]: Uint8Array): void => void first.push(byte);
    const undo = bus.subscribe("doc", listen);
    bus.subscribe("doc", listen);
    bus.subscribe("doc", ([byte = -1]) => second.push(byte));
    undo();
    undo();
    await listening(bus, "doc", 1);
    void bus.publish("doc", Uint8Array.of(7));
    await until("it is heard", () => second.length === 1);
    expect(first).toEqual([7]);
  });
}

/** Waits until what listens is known everywhere. */
export async function listening(bus: Bus, topic: string, count: number): Promise<void> {
  await until(`${topic} is listened to`, async () => ((await bus.listeners?.(topic)) ?? count) >= count);
}
