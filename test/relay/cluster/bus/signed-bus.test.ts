import { expect, it } from "vitest";
import { MemoryBus } from "../../../../src/relay/cluster/bus/memory-bus.ts";
import { SignedBus } from "../../../../src/relay/cluster/bus/signed-bus.ts";
import type { Bus } from "../../../../src/relay/ports/bus.ts";

it("[BUS-24] hears what the secret has signed, and drops and reports what is signed with another or not at all", async () => {
  const bus = new MemoryBus();
  let refused = 0;
  const alice = new SignedBus(bus, "secret", () => refused++);
  const heard: string[] = [];
  alice.subscribe("t", (bytes) => heard.push(new TextDecoder().decode(bytes)));
  const say = (from: Bus, text: string): void => void from.publish("t", new TextEncoder().encode(text));
  say(new SignedBus(bus, "secret", () => {}), "Bob's");
  say(new SignedBus(bus, "another", () => {}), "Mallory's");
  say(bus, "a stranger's");
  await Promise.resolve();
  expect(heard).toEqual(["Bob's"]);
  expect(refused).toBe(2);
});

it("[BUS-12] says how many listen where its bus can tell, and does not claim to know where it cannot", async () => {
  const bus = new MemoryBus();
  const signed = new SignedBus(bus, "secret", () => {});
  signed.subscribe("t", () => {});
  expect(await signed.listeners?.("t")).toBe(1);
  const blind: Bus = { publish: () => {}, subscribe: () => () => {} };
  expect(new SignedBus(blind, "secret", () => {}).listeners).toBeUndefined();
});
