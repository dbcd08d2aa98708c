/** A relay that is asked about rooms and lobbies which nobody is in there. */
import { expect, it } from "vitest";
import { MemoryBus } from "../../../src/relay/cluster/bus/memory-bus.ts";
import { readAnswer, readQuestion } from "../../../src/relay/cluster/inquiries/words.ts";
import { FrameError } from "../../../src/wire/index.ts";
import { ownClient, until } from "../../support.ts";
import { startCalledRelay } from "../api/caller.ts";
import { untilIn } from "../api/hosts.ts";

it("[BUS-35] asks the others, page by page, and opens nothing for it but a lobby that somebody is in", async () => {
  const bus = new MemoryBus();
  const [here, there] = [await startCalledRelay({ bus }), await startCalledRelay({ bus })];
  const names = Array.from({ length: 12 }, (_, i) => `room-${String(i).padStart(2, "0")}`);
  const alice = ownClient(here.url, "alice", { meta: { page: "home" } });
  for (const name of names) alice.join(name);
  await untilIn(there.api, "room-11", ["alice"]);
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const from: string = cursor === null ? "" : `&cursor=${cursor}`;
    const { body } = await there.api.get(`/rooms?prefix=room-&limit=5${from}`);
    seen.push(...body.rooms.map(({ name, counts }) => `${name} ${counts.users}`));
    cursor = body.cursor;
  } while (cursor !== null);
  expect(seen).toEqual(names.map((name) => `${name} 1`));
  expect(there.relay.rooms()).toEqual([]);
  expect((await there.api.get("/users?lobby=nobody")).body.users).toEqual([]);
  await until("the lobby is read", async () => (await there.api.get("/users/alice")).body.meta?.["page"] === "home");
  expect(there.relay.users("nobody")).toEqual([]);
});

it("[BUS-35] answers with what it knows by itself where another relay does not answer", async () => {
  const bus = new MemoryBus();
  const here = await startCalledRelay({ bus });
  ownClient(here.url, "alice").join("doc-1");
  await untilIn(here.api, "doc-1", ["alice"]);
  // one that lives and understands no questions: of an older version
  const beat = new Uint8Array([1, 0, 3, 114, 95, 120, 0, 0]);
  bus.publish("cp1:beat", beat);
  await until("it is heard", () => here.relay.metrics().bus?.relays === 1);
  const asked = here.api.post("/rooms:batch", { rooms: ["doc-1", "doc-2"] });
  const { body } = await asked;
  expect(body.rooms.map(({ counts }) => counts.users)).toEqual([1, 0]);
});

it("[BUS-35] what is no question, or no answer, is not taken", () => {
  const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const question = { id: 1, type: "people", names: ["a"], isBrief: false };
  expect(readQuestion(bytes(question)).question).toMatchObject({ names: ["a"] });
  for (const wrong of [null, {}, { ...question, id: "1" }, { ...question, names: [1] }, { id: 1, type: "names" }]) {
    expect(() => readQuestion(bytes(wrong))).toThrow(FrameError);
  }
  const room = { name: "a", hasDocument: false, isInUse: true, people: [{ clientId: 1 }] };
  const answer = { id: 1, upTo: 1, rooms: [], names: [] };
  expect(readAnswer(bytes(answer)).answer).toEqual({ upTo: 1, rooms: [], names: [], choices: [], connections: 0 });
  const choice = ["alice", { status: "dnd", at: 1 }];
  expect(readAnswer(bytes({ ...answer, choices: [choice], connections: 2 })).answer).toMatchObject({
    choices: [choice],
    connections: 2,
  });
  for (const wrong of [
    { choices: [["alice", { status: "?", at: 1 }]] },
    { choices: [[1, choice[1]]] },
    { connections: -1 },
  ]) {
    expect(() => readAnswer(bytes({ ...answer, ...wrong }))).toThrow(FrameError);
  }
  for (const wrong of [null, [], { ...answer, rooms: {} }, { ...answer, rooms: [room] }, { ...answer, names: [1] }]) {
    expect(() => readAnswer(bytes(wrong))).toThrow(FrameError);
  }
});
