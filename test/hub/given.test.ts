/** What an application hands to a hub, and answers it, that is not what a hub takes. */
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type HubDoorkeeper, type HubSocket, type PresenceHub, SUBPROTOCOL, createHub } from "../../src/hub/index.ts";
import { type Control, EnvelopeReader, controlFrame, decodeFrame, envelope } from "../../src/wire/index.ts";
import { until } from "../support.ts";

function startHub() {
  const errors: string[] = [];
  const hub = createHub({ onError: (error, where) => errors.push(`${where}: ${String(error)}`) });
  onTestFinished(() => hub.close());
  return { hub, errors };
}

function socketOf() {
  const said: Control[] = [];
  const reader = new EnvelopeReader();
  const socket: HubSocket = {
    protocol: SUBPROTOCOL,
    bufferedAmount: 0,
    send(bytes) {
      const { message } = reader.read(bytes);
      const frame = message === null ? null : decodeFrame(message);
      if (frame?.type === "control") said.push(frame.control);
    },
    close: () => {},
  };
  return { socket, said };
}

/** A link whose client asks for rooms, and what the hub says of them. */
function linkOf(hub: PresenceHub, admit: (room: string) => unknown) {
  const { socket, said } = socketOf();
  const link = hub.link(socket, { admit } as HubDoorkeeper);
  const open = (channel: number, room: string): void =>
    link.message(envelope(0, controlFrame({ kind: "open", channel, room })));
  const token = (value: string): void => link.message(envelope(0, controlFrame({ kind: "token", token: value })));
  return { said, open, token };
}

describe("what an application answers", () => {
  it.each<[unknown, string]>([
    [undefined, "admit must return { identity }, or { code, reason } to refuse"],
    [null, "admit must return { identity }"],
    [5, "admit must return { identity }"],
    [[], "admit must return { identity }"],
    [{}, "identity must be an object, or null"],
    [{ identity: 5 }, "identity must be an object, or null"],
    [{ identity: { userId: 5 } }, "userId must be a well-formed string"],
    [{ identity: null, lobby: 5 }, "the name of a lobby is a text"],
    [{ identity: null, renew: 5 }, "renew must be a function"],
    [{ code: 9999 }, "the code of a refusal must be 4401, 4403, 4501 or 4503"],
    [{ code: "4403" }, "the code of a refusal must be 4401, 4403, 4501 or 4503"],
  ])(
    "[HUB-6] when a link asks for a room, and is none: %j, is reported, and the client may try again",
    async (said, message) => {
      const { hub, errors } = startHub();
      const link = linkOf(hub, (room) => (room === "bad" ? said : { identity: null }));
      link.open(1, "bad");
      link.open(2, "good");
      await until("the other is let in", () => link.said.some(({ kind }) => kind === "hello"));
      expect(link.said).toContainEqual({
        kind: "refused",
        channel: 1,
        code: 4503,
        reason: "nobody can say who may come in",
      });
      expect(errors).toEqual([expect.stringContaining(`admit: TypeError: ${message}`)]);
    },
  );

  it("[HUB-6] late is reported, and the room is refused for now", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { hub, errors } = startHub();
    const link = linkOf(hub, () => new Promise(() => {}));
    link.open(1, "doc");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(link.said).toMatchObject([{ kind: "refused", channel: 1, code: 4503 }]);
    expect(errors).toEqual(["admit: Error: admit has not answered for 10 s"]);
  });

  it("[RUN-3] never, leaves no timer behind once the hub is closed, and is not reported", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const { hub, errors } = startHub();
    const link = linkOf(hub, () => new Promise(() => {}));
    link.open(1, "doc");
    expect(vi.getTimerCount()).toBeGreaterThan(0);
    await hub.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(errors).toEqual([]);
  });

  it("[HUB-6] lets nobody in to another room than the client asked for", async () => {
    const { hub } = startHub();
    const link = linkOf(hub, () => ({ identity: null, room: "secret" }));
    link.open(1, "doc");
    await until("it is let in", () => link.said.some(({ kind }) => kind === "hello"));
    expect(link.said).toMatchObject([{ kind: "hello", room: "doc" }]);
    expect(hub.room("secret")).toBeUndefined();
  });

  it.each<[unknown, string, number]>([
    [undefined, "renew: TypeError: what was answered is no identity, { userId }", 4503],
    [5, "renew: TypeError", 4503],
    [{}, "renew: TypeError: userId must be a well-formed string", 4503],
    [{ userId: "alice", expiresAt: "soon" }, "renew: TypeError: expiresAt must be a time in ms", 4503],
    [{ userId: "alice", rooms: 5 }, "renew: TypeError: rooms must be a map", 4503],
    [{ code: 4403, reason: "no" }, "", 4403],
  ])("[HUB-6] of a newer token, and is none: %j, ends that link and no other", async (said, error, code) => {
    const { hub, errors } = startHub();
    const closes: number[] = [];
    const { socket } = socketOf();
    const link = hub.link(
      { ...socket, close: (with_) => void closes.push(with_) },
      {
        admit: () => ({ identity: { userId: "alice" }, renew: () => said as null }),
      },
    );
    const other = linkOf(hub, () => ({ identity: { userId: "bob" } }));
    other.open(1, "doc");
    link.message(envelope(0, controlFrame({ kind: "open", channel: 1, room: "doc" })));
    link.message(envelope(0, controlFrame({ kind: "token", token: "newer" })));
    await until("it ends", () => closes.length > 0);
    expect(closes).toEqual([code]);
    expect(errors.join()).toContain(error);
    expect(errors).toHaveLength(error === "" ? 0 : 1);
    expect(hub.room("doc")?.connections).toBe(1);
  });
});

describe("what an application hands in", () => {
  const { socket } = socketOf();
  const admission = { room: "doc", identity: null };

  it.each<[string, (hub: PresenceHub) => unknown, string | RegExp]>([
    ["no socket", (hub) => hub.accept(undefined as unknown as HubSocket, admission), "the socket has no function send"],
    ["a socket", (hub) => hub.accept({} as HubSocket, admission), "the socket has no function send"],
    ["no admission", (hub) => hub.accept(socket, undefined as unknown as typeof admission), /^an admission must be/],
    [
      "an address",
      (hub) => hub.accept(socket, { ...admission, address: 5 as unknown as string }),
      "address must be a text",
    ],
    ["echoing", (hub) => hub.accept(socket, { ...admission, echoing: "x" as "never" }), /^echoing must be "never"/],
    ["no doorkeeper", (hub) => hub.link(socket, undefined as unknown as HubDoorkeeper), /has no function admit$/],
    ["a doorkeeper", (hub) => hub.link(socket, {} as HubDoorkeeper), "the doorkeeper has no function admit"],
    ["no addressing", (hub) => hub.connect(socket, {} as never), "addressing has no function split"],
    ["nothing", (hub) => hub.connect(socket, undefined as never), "addressing has no function split"],
    ["a lobby", (hub) => hub.users(5 as unknown as string), "the name of a lobby is a text"],
    ["an event", (hub) => hub.on("jion" as "join", () => {}), 'there is no event "jion"'],
  ])("[HUB-7] %s that cannot be used is refused at once", (_what, act, message) => {
    const { hub, errors } = startHub();
    expect(() => act(hub)).toThrow(message);
    expect(hub.metrics().connections).toBe(0);
    expect(errors).toEqual([]);
  });

  it.each([
    { sinks: 5 },
    { sinks: null },
    { sinks: [{}] },
    { closeCodes: 5 },
    { closeCodes: { 4205: "lost" } },
    { closeCodes: { lost: 1006 } },
  ])("[HUB-7] the option %j is refused at once", (options) => {
    expect(() => createHub(options as object)).toThrow(
      /^(sinks must be|a sink has no function deliver|closeCodes must be)/,
    );
  });
});
