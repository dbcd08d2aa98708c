/** A relay that stood still has not heard from others for long, through no fault of theirs. */
import { expect, it, onTestFinished } from "vitest";
import { MemoryBus } from "../../../src/relay/cluster/bus/memory-bus.ts";
import { RemoteRelay } from "../../../src/relay/cluster/room/remote-relay.ts";
import { resolveOptions } from "../../../src/relay/options.ts";
import { LinkedHub } from "../../../src/relay/wiring/linked-hub.ts";
import { systemClock } from "../../../src/relay/ports/clock.ts";
import { until } from "../../support.ts";
import { FaultyBus } from "./faulty-bus.ts";

const ROOMS = 300;

it("[BUS-19] [BUS-21] when a relay has stood still for 21 s, it asks for its rooms some at a time", async () => {
  const shared = new MemoryBus();
  let stoodStillMs = 0;
  const clock = { now: () => systemClock.now() + stoodStillMs, wall: () => systemClock.wall() + stoodStillMs };
  const [bus, theirs] = [new FaultyBus(shared), new FaultyBus(shared)];
  const here = new LinkedHub(resolveOptions({}), () => {}, { bus, clock });
  const there = new LinkedHub(resolveOptions({}), () => {}, { bus: theirs });
  onTestFinished(async () => {
    await here.close();
    await there.close();
  });
  const member = Object.assign(new RemoteRelay("client", "@lobby", 0), { kind: "stock" as const });
  for (const hub of [there, here]) {
    for (let i = 0; i < ROOMS; i++) hub.core.join(Object.create(member) as RemoteRelay, `room ${i}`);
  }
  const answered = ({ said }: FaultyBus): number =>
    new Set(said.filter(({ kind }) => kind === "snapshot").map(({ room }) => room)).size;
  await until("the relays share all", () => answered(bus) === ROOMS && answered(theirs) === ROOMS);
  const asked = new Set<string>();
  let [atOnce, mostAtOnce, askedAt] = [0, 0, performance.now()];
  const publish = bus.publish.bind(bus);
  bus.publish = (topic, bytes) => {
    publish(topic, bytes);
    const { kind, room } = bus.said.at(-1) ?? {};
    if (kind !== "ask" || room === undefined) return;
    asked.add(room);
    askedAt = performance.now();
    if (atOnce++ === 0) setImmediate(() => (atOnce = 0));
    mostAtOnce = Math.max(mostAtOnce, atOnce);
  };
  // as each relay does when it hears of another
  await until("no more is asked for", () => performance.now() - askedAt > 500);
  asked.clear();
  mostAtOnce = 0;
  stoodStillMs = 21_000;
  await until("all are asked for", () => asked.size >= ROOMS);
  expect(mostAtOnce).toBeLessThanOrEqual(100);
});
