/** Two hubs in one process, joined by a bus, each behind a server of its own. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import { type Presence } from "../../../src/client/index.ts";
import { MemoryBus } from "../../../src/relay/cluster/bus/memory-bus.ts";
import { type MessageKind, encodeMessage } from "../../../src/relay/cluster/message.ts";
import { LinkedHub } from "../../../src/relay/wiring/linked-hub.ts";
import { resolveOptions } from "../../../src/relay/options.ts";
import { admit, chooseProtocol } from "../../../src/relay/access/request.ts";
import { openAccess } from "../../../src/relay/access/grants.ts";
import { WebSocketServerSocket } from "../../../src/relay/transport/websocket.ts";
import { LINK_SUBPROTOCOL } from "../../../src/wire/index.ts";
import { everybody } from "../../doorkeeper.ts";
import { ownClient, stockClient, until } from "../../support.ts";
import { busContract } from "./contract.ts";
import { FaultyBus } from "./faulty-bus.ts";

const bus = new MemoryBus();
describe("the memory bus", () => {
  busContract(() => Promise.resolve(bus));
});

/** A hub on a bus, and where clients reach it. */
async function relayOn(shared: MemoryBus): Promise<{ readonly url: string; readonly hub: LinkedHub }> {
  const errors: unknown[] = [];
  const options = resolveOptions({ tick: 0, lobbyTick: 0, leaveGrace: 300, drainTime: 100 });
  const hub = new LinkedHub(options, (error) => errors.push(error), { bus: shared });
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: (offered) => chooseProtocol(offered) ?? false,
  });
  const server = createServer();
  server.on("upgrade", (request, socket, head) => {
    const asked = admit(request.url ?? "/");
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const accepted = new WebSocketServerSocket(webSocket, request.socket);
      if (webSocket.protocol === LINK_SUBPROTOCOL) return void hub.link(accepted, "127.0.0.1", everybody());
      if (!asked.ok) return webSocket.close(asked.code);
      hub.accept(accepted, "127.0.0.1", { room: asked.room, access: openAccess(asked.lobby) });
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    await hub.close();
    server.closeAllConnections();
    server.close();
    expect(errors).toEqual([]);
  });
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, hub };
}

const idsIn = (users: readonly { readonly id: string; readonly reconnecting?: boolean }[]): string =>
  users
    .map(({ id }) => id)
    .toSorted()
    .join(" ");

async function two() {
  const shared = new MemoryBus();
  const [here, there] = [await relayOn(shared), await relayOn(shared)];
  const [alice, bob] = [ownClient(here.url, "alice"), ownClient(there.url, "bob")];
  return { here, there, alice, bob };
}

const seesBoth = (presence: Presence, room: ReturnType<Presence["join"]>) => (): boolean =>
  idsIn(presence.lobby.users) === "alice bob" && idsIn(room.roster.users) === "alice bob";

it("people of two relays see each other in a room and in the lobby, with what they say of themselves", async () => {
  const { here, there, alice, bob } = await two();
  const [hers, his] = [alice.join("doc"), bob.join("doc")];
  await until("Alice sees both", seesBoth(alice, hers));
  await until("Bob sees both", seesBoth(bob, his));
  his.setMeta({ viewing: "page 4" });
  bob.setStatus("dnd");
  await until("she sees what he does", () => {
    const [inRoom, inLobby] = [hers.roster.get("bob"), alice.lobby.get("bob")];
    return inRoom?.meta["viewing"] === "page 4" && inRoom.status === "dnd" && inLobby?.status === "dnd";
  });
  expect(alice.lobby.get("bob")?.rooms).toEqual(["doc"]);
  const carol = stockClient(here.url, "doc", { user: { id: "carol", name: "Carol" } });
  await until("one who uses y-websocket sees both", () => carol.awareness.getStates().size === 3);
  await until("and is seen from the other relay", () => his.roster.get("carol") !== undefined);
  hers.doc.getText("t").insert(0, "hers ");
  await until("Bob has her text", () => his.doc.getText("t").toJSON() === "hers ");
  his.doc.getText("t").insert(5, "his");
  await until("all have his", () => [hers, carol].every(({ doc }) => doc.getText("t").toJSON() === "hers his"));
  expect(here.hub.rooms()).toHaveLength(1);
  expect(there.hub.rooms()).toHaveLength(1);
});

it("[WATCH-1] [WATCH-2] those who watch people, or count them, hear of those on another relay as well", async () => {
  const { here, there, bob } = await two();
  const carol = ownClient(here.url, "carol", { observeLobby: "counts" });
  const watch = carol.watch(["bob", "dave"]);
  bob.join("doc");
  await until("Bob is seen in the room", () => watch.get("bob")?.rooms.join() === "doc");
  await until("all are counted", () => carol.lobby.count === 3 && carol.lobby.countIn("doc") === 1);
  const dave = ownClient(there.url, "dave");
  await until("Dave is seen", () => watch.has("dave"));
  dave.setStatus("invisible");
  await until("Dave is hidden", () => !watch.has("dave") && carol.lobby.count === 3);
  bob.destroy();
  await until("Bob left", () => !watch.has("bob") && carol.lobby.count === 2 && carol.lobby.countIn("doc") === 0);
  expect(watch.get("bob")).toMatchObject({ name: "Bob", status: "offline" });
});

it("one who leaves a relay leaves for the other's people too, at once or after the grace", async () => {
  const { here, there, alice, bob } = await two();
  const [hers, his] = [alice.join("doc"), bob.join("doc")];
  await until("both see both", () => seesBoth(alice, hers)() && seesBoth(bob, his)());
  his.leave();
  await until("he has left the room", () => idsIn(hers.roster.users) === "alice");
  expect(idsIn(alice.lobby.users)).toBe("alice bob");
  bob.destroy();
  await until("he has left", () => idsIn(alice.lobby.users) === "alice");
  // nobody of that relay is in the room any more: it is not kept for others' sake
  await until("the room is freed there", () => there.hub.rooms().length === 0);
  expect(here.hub.rooms()).toHaveLength(1);
});

it("one who chooses to be invisible on one relay is seen on neither", async () => {
  const { alice, bob } = await two();
  const [hers, his] = [alice.join("doc"), bob.join("doc")];
  await until("both see both", () => seesBoth(alice, hers)() && seesBoth(bob, his)());
  bob.setStatus("invisible");
  await until("she sees him nowhere", () => idsIn(hers.roster.users) + idsIn(alice.lobby.users) === "alicealice");
  bob.setStatus(null);
  await until("she sees him again", seesBoth(alice, hers));
});

it("a relay that stops takes its people with it after the grace, and nobody before", async () => {
  const { there, alice, bob } = await two();
  const [hers, his] = [alice.join("doc"), bob.join("doc")];
  await until("both see both", () => seesBoth(alice, hers)() && seesBoth(bob, his)());
  await there.hub.close();
  await until("they are gone", () => idsIn(hers.roster.users) === "alice");
  await until("from the lobby, too", () => idsIn(alice.lobby.users) === "alice");
});

it("[BUS-21] a relay that stops while it still has rooms to ask for asks for none of them", async () => {
  const shared = new MemoryBus();
  const faulty = new FaultyBus(shared);
  // others are said to listen, so that the relay has not heard of all of them when it stops
  faulty.listeners = () => Promise.resolve(3);
  const errors: unknown[] = [];
  const hub = new LinkedHub(resolveOptions({}), (error) => errors.push(error), { bus: faulty });
  for (let n = 0; n < 150; n++) hub.core.hold(`doc${n}`);
  const asked = (): number => faulty.said.filter(({ kind }) => kind === "ask").length;
  const opened = asked();
  const say = (kind: MessageKind): void => {
    shared.publish("cp1:beat", encodeMessage({ kind, relay: "r_other", room: "", seq: 1, body: new Uint8Array() }));
  };
  // another relay is lost, and found again
  for (const kind of ["beat", "bye", "beat"] as const) say(kind);
  await until("the first rooms are asked for", () => asked() > opened);
  const before = asked();
  await hub.close();
  expect([asked() - before, errors]).toEqual([0, []]);
});
