/** Relays on one bus behind a balancer, of which one is drained. */
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, type Socket, createConnection, createServer } from "node:net";
import { expect, it, onTestFinished, vi } from "vitest";
import { runDrain } from "../../src/command/drain.ts";
import { MemoryBus } from "../../src/relay/cluster/bus/memory-bus.ts";
import type { RelayConfig } from "../../src/relay/index.ts";
import { type RunningRelay, ownClient, pause, startRelay, stockClient, until } from "../support.ts";
import { FaultyBus } from "./cluster/faulty-bus.ts";

const KEY = "a-key-for-tests-alone";

/** Leads each connection to the first relay that is ready, as a balancer that asks `/readyz` does. */
async function balancer(relays: readonly RunningRelay[]): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const target = relays.find(({ relay }) => relay.trouble === null);
    if (target === undefined) return void near.destroy();
    const far = createConnection(target.port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function two(options: RelayConfig = {}) {
  const bus = new MemoryBus();
  const [first, second] = [
    await startRelay({ bus, apiKey: KEY, ...options }),
    await startRelay({ bus, apiKey: KEY, ...options }),
  ];
  await until("both are ready, and hear each other", () =>
    [first, second].every(({ relay }) => relay.trouble === null && relay.metrics().bus?.relays === 1),
  );
  return { first, second, url: await balancer([first, second]) };
}

const ready = async ({ port }: RunningRelay): Promise<string> => {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`, { headers: { connection: "close" } });
  return `${response.status} ${(await response.text()).trim()}`;
};

it("[DRAIN-2] [DRAIN-3] [DRAIN-6] people and stock clients of a relay that drains go to another, and nobody sees them leave", async () => {
  const { first, second, url } = await two();
  const [alice, carol] = [ownClient(url, "alice"), ownClient(url, "carol")];
  const bob = ownClient(second.url, "bob");
  const rooms = [alice, carol, bob].map((presence) => presence.join("doc"));
  const stock = stockClient(url, "doc", { user: { id: "dave", name: "Dave" } });
  const all = "alice bob carol dave";
  const seenBy = (): string[] =>
    [...rooms.map(({ roster }) => roster), alice.lobby, bob.lobby].map(({ users }) =>
      users
        .map(({ id }) => id)
        .toSorted()
        .join(" "),
    );
  await until("all see all", () => seenBy().every((ids) => ids === all));
  const events: string[] = [];
  for (const roster of [rooms[2]?.roster, bob.lobby, rooms[0]?.roster, alice.lobby]) {
    roster?.on("event", ({ type, userId }) => type !== "update" && events.push(`${type} ${userId}`));
  }
  rooms[0]?.doc.getText("t").insert(0, "hers");
  expect(await ready(first)).toBe("200 ready");
  const drained = first.relay.drain(300);
  expect(first.relay.trouble).toBe("the relay is draining");
  expect(await ready(first)).toBe("503 the relay is draining");
  const refused = await fetch(`http://127.0.0.1:${first.port}/doc`, {
    headers: { connection: "close" },
  });
  // what is no WebSocket is answered as ever
  expect(refused.status).toBe(426);
  expect(await drained).toBe(0);
  await until("the second has all of them", () => second.relay.metrics().connections === 7);
  await until("all see all", () => seenBy().every((ids) => ids === all));
  await until("Bob has what Alice wrote", () => rooms[2]?.doc.getText("t").toJSON() === "hers");
  await first.relay.close();
  stock.awareness.setLocalStateField("cursor", 1);
  await until("Bob sees Dave's cursor", () =>
    [...(rooms[2]?.awareness.getStates().values() ?? [])].some((state) => state["cursor"] === 1),
  );
  expect(events).toEqual([]);
  expect(await ready(second)).toBe("200 ready");
});

it("[BUS-7] stock clients that come from a relay that has stopped see each other, though they remember its clocks", async () => {
  const { first, second } = await two();
  ownClient(second.url, "bob").join("doc");
  const stock = ["carol", "dave"].map((id) => stockClient(first.url, "doc", { user: { id, name: id } }));
  await until("all see all", () => stock.every(({ awareness }) => awareness.getStates().size === 3));
  for (const client of stock) client.awareness.setLocalStateField("cursor", 1);
  await until("they are seen", () =>
    stock.every(
      ({ awareness }) => [...awareness.getStates().values()].filter(({ cursor }) => cursor === 1).length === 2,
    ),
  );
  await first.relay.close();
  await until("the second knows that it is gone", () => second.relay.metrics().bus?.relays === 0);
  for (const client of stock) {
    client.serverUrl = second.url;
    await until("it is there", () => client.synced, 10_000);
    await pause(100);
  }
  await until("they see each other", () => stock.every(({ awareness }) => awareness.getStates().size === 3), 2_000);
});

it("[DRAIN-4] a relay that hears no other does not drain", async () => {
  const { relay, url, port } = await startRelay({ bus: new MemoryBus(), apiKey: KEY });
  await until("it is ready", () => relay.trouble === null);
  const alice = ownClient(url, "alice");
  await until("she is here", () => relay.users().length === 1);
  expect(await relay.drain(0)).toBe(1);
  expect([relay.trouble, alice.connection.status]).toEqual([null, "connected"]);
  const env = { COPRESENCE_API_KEY: KEY };
  await expect(runDrain([`http://127.0.0.1:${port}`], env)).rejects.toThrow("no other relay is heard");
});

it("[DRAIN-5] copresence drain sends all away, and is refused without a good key", async () => {
  const { first, url } = await two();
  const alice = ownClient(url, "alice");
  await until("she is on the first", () => first.relay.metrics().connections === 1);
  const address = `http://127.0.0.1:${first.port}`;
  await expect(runDrain([address], { COPRESENCE_API_KEY: "wrong" })).rejects.toThrow(/refuses/);
  await expect(runDrain([address], {})).rejects.toThrow(/a key to the HTTP API is needed/);
  await expect(runDrain(["--over", "x", address], { COPRESENCE_API_KEY: KEY })).rejects.toThrow(/--over/);
  const written = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  onTestFinished(() => written.mockRestore());
  expect(await runDrain(["--over", "50", address], { COPRESENCE_API_KEY: KEY })).toBe(0);
  expect(written.mock.calls.flat()).toEqual(["1 connection is left\n", "0 connections are left\n"]);
  await until("she is back, elsewhere", () => alice.connection.status === "connected");
  expect([first.relay.metrics().connections, first.relay.trouble]).toEqual([0, "the relay is draining"]);
});

it("[DRAIN-5] a drain of one lobby, or with any other parameter, is refused, and nobody is sent away", async () => {
  const { first } = await two();
  for (const [query, message] of [
    ["lobby=acme", "drains as a whole"],
    ["over=5", "there is no such field"],
  ] as const) {
    const address = `http://127.0.0.1:${first.port}/api/v1/drain?${query}`;
    const response = await fetch(address, { method: "POST", headers: { authorization: `Bearer ${KEY}` } });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(message);
  }
  expect(first.relay.trouble).toBe(null);
});

it("[DRAIN-5] copresence drain finds a relay that a proxy has behind a path", async () => {
  const asked: string[] = [];
  const proxy = createHttpServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end('{"connections":0}');
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  onTestFinished(() => void proxy.close());
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/presence/`;
  expect(await runDrain([address], { COPRESENCE_API_KEY: KEY })).toBe(0);
  expect(asked).toEqual(["POST /presence/api/v1/drain"]);
});

it("[OPS-1] [OPS-2] the metrics say how the bus fares, and a relay whose bus is lost is not ready, and serves all the same", async () => {
  const bus = new FaultyBus(new MemoryBus());
  bus.cannotHear = true;
  const here = await startRelay({ bus, onError: () => {} });
  expect(here.relay.trouble).toBe("the bus has not been heard yet");
  bus.cannotHear = false;
  await until("it hears itself", () => here.relay.trouble === null);
  expect(here.relay.metrics().bus).toMatchObject({ isUp: true, relays: 0, gaps: 0, refused: 0, dropped: 0 });
  bus.loses = () => true;
  await until("the bus is lost", () => here.relay.trouble === "the bus cannot be reached");
  expect(await ready(here)).toBe("503 the bus cannot be reached");
  expect(await here.relay.metricsText()).toMatch(/^copresence_bus_up 0$/m);
  const alice = ownClient(here.url, "alice");
  await until("she is let in", () => alice.connection.status === "connected");
  bus.loses = () => false;
  await until("it is back", () => here.relay.trouble === null, 10_000);
  const page = await here.relay.metricsText();
  for (const name of ["up", "relays", "echo_seconds", "unsent_bytes", "gaps_total", "dropped_total", "refused_total"]) {
    expect(page).toMatch(new RegExp(`^copresence_bus_${name} \\S+$`, "m"));
  }
  // alone, a relay has none of it
  expect(await (await startRelay()).relay.metricsText()).not.toContain("copresence_bus");
});
