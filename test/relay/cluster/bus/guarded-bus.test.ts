/** A bus of the application's own that breaks its word. */
import { expect, it, onTestFinished, vi } from "vitest";
import { GuardedBus } from "../../../../src/relay/cluster/bus/guarded-bus.ts";
import { MemoryBus } from "../../../../src/relay/cluster/bus/memory-bus.ts";
import type { Bus } from "../../../../src/relay/ports/bus.ts";
import { ownClient, startRelay, until } from "../../../support.ts";

const broken = (): never => {
  throw new Error("the bus is down");
};

it("[BUS-39] what it throws or rejects is reported once, and counted as lost", async () => {
  const onError = vi.fn<(error: unknown) => void>();
  const bus: Bus = {
    publish: (topic) => (topic === "thrown" ? broken() : Promise.reject(new Error("later"))),
    subscribe: () => broken,
    reconnect: broken,
    close: broken,
  };
  const guarded = new GuardedBus(bus, onError);
  void guarded.publish("thrown", new Uint8Array());
  void guarded.publish("thrown", new Uint8Array());
  guarded.subscribe("topic", () => {})();
  guarded.reconnect();
  await guarded.close();
  expect(onError.mock.calls).toEqual([[new Error("the bus is down")]]);
  void guarded.publish("rejected", new Uint8Array());
  await until("it is told of that, too", () => onError.mock.calls.length === 2);
  expect(guarded.counts).toEqual({ unsentBytes: 0, dropped: 3 });
});

it("[BUS-39] what could not be listened to is tried again when the bus begins anew", async () => {
  const memory = new MemoryBus();
  let isDown = true;
  const bus: Bus = {
    publish: (topic, bytes) => memory.publish(topic, bytes),
    subscribe: (topic, on) => (isDown ? broken() : memory.subscribe(topic, on)),
  };
  const guarded = new GuardedBus(bus, () => {});
  const heard: number[] = [];
  const undo = guarded.subscribe("topic", ([byte = -1]) => heard.push(byte));
  guarded.subscribe("other", () => heard.push(-2))();
  isDown = false;
  guarded.reconnect();
  guarded.reconnect();
  void guarded.publish("topic", Uint8Array.of(7));
  void guarded.publish("other", Uint8Array.of(8));
  await until("it hears", () => heard.length > 0);
  undo();
  void guarded.publish("topic", Uint8Array.of(9));
  await Promise.resolve();
  expect(heard).toEqual([7]);
});

it("[BUS-39] the people of a relay see each other while its bus throws at everything", async () => {
  const bus: Bus = { publish: broken, subscribe: broken };
  const { url } = await startRelay({ bus, onError: () => {}, tick: 0 });
  const [alice, bob] = [ownClient(url, "alice"), ownClient(url, "bob")];
  onTestFinished(() => alice.destroy());
  const room = alice.join("doc");
  bob.join("doc");
  await until("she sees him", () => room.roster.has("bob"), 10_000);
  bob.join("doc").setMeta({ page: 2 });
  await until("and his page", () => room.roster.get("bob")?.meta["page"] === 2, 10_000);
});
